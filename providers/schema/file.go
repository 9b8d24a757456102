package schema

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A schema file is: the magic line; three lengths; the source address; the
// dictionary (compressed); the index (compressed: one line "key offset length"
// per entry, sorted); the entries, each compressed with the dictionary.
const magic = "scaffold schema 1\n"

// Keys of entries: a kind, then the name of the type.
const (
	keyProvider  = "p"
	keyResource  = "r "
	keyData      = "d "
	keyEphemeral = "e "
	keyFunction  = "f "
)

// dictionarySize is as much as deflate can look back.
const dictionarySize = 32 << 10

type entry struct {
	key  string
	text []byte
}

type span struct{ offset, length int }

// Convert turns what "terraform providers schema -json" prints for one provider
// (plain or gzip) into a schema file. The same input gives the same bytes.
func Convert(terraformJSON []byte) ([]byte, error) {
	source, provider, err := parseTerraform(terraformJSON)
	if err != nil {
		return nil, err
	}
	entries, err := provider.entries()
	if err != nil {
		return nil, err
	}
	return writeFile(source, entries)
}

func writeFile(source string, entries []entry) ([]byte, error) {
	dictionary := sample(entries)
	var index, body bytes.Buffer
	for _, entry := range entries {
		packed, err := deflate(entry.text, dictionary)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&index, "%s %d %d\n", entry.key, body.Len(), len(packed))
		body.Write(packed)
	}
	packedDictionary, err := deflate(dictionary, nil)
	if err != nil {
		return nil, err
	}
	packedIndex, err := deflate(index.Bytes(), nil)
	if err != nil {
		return nil, err
	}
	file := []byte(magic)
	for _, part := range []int{len(source), len(packedDictionary), len(packedIndex)} {
		file = binary.LittleEndian.AppendUint32(file, uint32(part))
	}
	return slices.Concat(file, []byte(source), packedDictionary, packedIndex, body.Bytes()), nil
}

// sample builds the shared dictionary from a part of entries spread over the
// whole file: types of one service have much in common, and they are neighbours.
func sample(entries []entry) []byte {
	const pieces = 64
	step := max(1, len(entries)/pieces)
	dictionary := []byte{}
	for i := 0; i < len(entries); i += step {
		text := entries[i].text
		dictionary = append(dictionary, text[:min(len(text), dictionarySize/pieces)]...)
	}
	return dictionary[max(0, len(dictionary)-dictionarySize):]
}

// file is an opened schema file.
type file struct {
	source     string
	dictionary []byte
	index      map[string]span
	body       []byte
}

func readFile(data []byte) (*file, error) {
	header := len(magic) + 3*4
	if len(data) < header || string(data[:len(magic)]) != magic {
		return nil, fmt.Errorf("not a schema file")
	}
	parts := [3][]byte{}
	rest := data[header:]
	for i := range parts {
		length := int(binary.LittleEndian.Uint32(data[len(magic)+4*i:]))
		if length > len(rest) {
			return nil, fmt.Errorf("the schema file is cut off")
		}
		parts[i], rest = rest[:length], rest[length:]
	}
	dictionary, err := inflate(parts[1], nil)
	if err != nil {
		return nil, err
	}
	lines, err := inflate(parts[2], nil)
	if err != nil {
		return nil, err
	}
	index, err := parseIndex(string(lines), len(rest))
	return &file{string(parts[0]), dictionary, index, rest}, err
}

func parseIndex(lines string, size int) (map[string]span, error) {
	index := make(map[string]span, strings.Count(lines, "\n"))
	for line := range strings.Lines(lines) {
		line = strings.TrimSuffix(line, "\n")
		beforeLength := strings.LastIndexByte(line, ' ')
		beforeOffset := strings.LastIndexByte(line[:max(0, beforeLength)], ' ')
		if beforeOffset < 0 {
			return nil, fmt.Errorf("bad line %q in the index", line)
		}
		offset, err := strconv.Atoi(line[beforeOffset+1 : beforeLength])
		if err != nil {
			return nil, err
		}
		length, err := strconv.Atoi(line[beforeLength+1:])
		if err != nil {
			return nil, err
		}
		if offset < 0 || length < 0 || offset+length > size {
			return nil, fmt.Errorf("line %q of the index points outside the file", line)
		}
		index[line[:beforeOffset]] = span{offset, length}
	}
	return index, nil
}

// read returns the text of an entry.
func (f *file) read(key string) ([]byte, bool, error) {
	at, ok := f.index[key]
	if !ok {
		return nil, false, nil
	}
	text, err := inflate(f.body[at.offset:at.offset+at.length], f.dictionary)
	return text, true, err
}

func deflate(text, dictionary []byte) ([]byte, error) {
	var packed bytes.Buffer
	writer, err := flate.NewWriterDict(&packed, flate.BestCompression, dictionary)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(text); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func inflate(packed, dictionary []byte) ([]byte, error) {
	reader, ok := readers.Get().(io.ReadCloser)
	if !ok {
		reader = flate.NewReaderDict(nil, nil)
	}
	defer readers.Put(reader)
	if err := reader.(flate.Resetter).Reset(bytes.NewReader(packed), dictionary); err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

// readers are readers that were used before: each has tables of its own, which
// are larger than most of what is read.
var readers sync.Pool

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func compare(a, b string) int { return cmp.Compare(a, b) }
