package cel

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
)

// Quantity is an amount such as 500m, 2Gi or 1e3.
type Quantity struct{ value *big.Rat }

var quantityForm = regexp.MustCompile(`^([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]+))?$`)

var (
	binarySuffixes  = map[string]int{"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
	decimalSuffixes = map[string]int{"n": -3, "u": -2, "m": -1, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
)

// ParseQuantity reads an amount.
func ParseQuantity(s string) (Quantity, error) {
	m := quantityForm.FindStringSubmatch(s)
	if m == nil {
		return Quantity{}, fmt.Errorf("%q is not a quantity", s)
	}
	value, ok := new(big.Rat).SetString(m[1])
	if !ok {
		return Quantity{}, fmt.Errorf("%q is not a quantity", s)
	}
	base, exponent := int64(1000), decimalSuffixes[m[2]]
	if n, binary := binarySuffixes[m[2]]; binary {
		base, exponent = 1024, n
	}
	if m[3] != "" {
		n, err := strconv.Atoi(m[3])
		if err != nil || n < -30 || n > 30 {
			return Quantity{}, fmt.Errorf("%q is out of range", s)
		}
		base, exponent = 10, n
	}
	factor := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(max(exponent, -exponent))), nil))
	if exponent < 0 {
		factor.Inv(factor)
	}
	return Quantity{value: value.Mul(value, factor)}, nil
}

// Sign is -1, 0 or 1.
func (q Quantity) Sign() int { return q.value.Sign() }

// quantityOf also takes numbers: a manifest may write cpu: 2.
func quantityOf(args ...any) (Quantity, error) {
	if len(args) != 1 {
		return Quantity{}, errArguments
	}
	switch v := args[0].(type) {
	case Quantity:
		return v, nil
	case string:
		return ParseQuantity(v)
	case int64:
		return ParseQuantity(strconv.FormatInt(v, 10))
	case float64:
		return ParseQuantity(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return Quantity{}, errArguments
}

func ofQuantities(f func(order int) any) Function {
	return func(args ...any) (any, error) {
		if len(args) != 2 {
			return nil, errArguments
		}
		a, err := quantityOf(args[0])
		if err != nil {
			return nil, err
		}
		b, err := quantityOf(args[1])
		if err != nil {
			return nil, err
		}
		return f(a.value.Cmp(b.value)), nil
	}
}

func sign(args ...any) (any, error) {
	q, err := quantityOf(args...)
	if err != nil {
		return nil, err
	}
	return int64(q.Sign()), nil
}

func isInteger(args ...any) (any, error) {
	q, err := quantityOf(args...)
	if err != nil {
		return nil, err
	}
	return q.value.IsInt(), nil
}
