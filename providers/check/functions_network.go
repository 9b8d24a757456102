package check

import (
	"fmt"
	"math/big"
	"net/netip"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/gocty"
)

var (
	cidrHostFunction = function.New(&function.Spec{
		Params: []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "hostnum", Type: cty.Number}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			prefix, err := cidr(args[0])
			if err != nil {
				return cty.UnknownVal(cty.String), err
			}
			number, accuracy := args[1].AsBigFloat().Int(nil)
			if accuracy != big.Exact {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(1, "must be a whole number")
			}
			size := new(big.Int).Lsh(big.NewInt(1), uint(prefix.Addr().BitLen()-prefix.Bits()))
			if number.Sign() < 0 { // counted from the end
				number = number.Add(size, number)
			}
			if number.Sign() < 0 || number.Cmp(size) >= 0 {
				return cty.UnknownVal(cty.String), fmt.Errorf("prefix of %d does not accommodate a host numbered %s", prefix.Bits(), number)
			}
			return cty.StringVal(plus(prefix.Addr(), number).String()), nil
		},
	})
	cidrSubnetFunction = function.New(&function.Spec{
		Params: []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "newbits", Type: cty.Number}, {Name: "netnum", Type: cty.Number}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			prefix, err := cidr(args[0])
			if err != nil {
				return cty.UnknownVal(cty.String), err
			}
			var bits int
			if err := gocty.FromCtyValue(args[1], &bits); err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(1, err)
			}
			number, accuracy := args[2].AsBigFloat().Int(nil)
			if accuracy != big.Exact {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(2, "must be a whole number")
			}
			subnet, err := subnet(prefix, bits, number)
			if err != nil {
				return cty.UnknownVal(cty.String), err
			}
			return cty.StringVal(subnet.String()), nil
		},
	})
	cidrSubnetsFunction = function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "prefix", Type: cty.String}},
		VarParam: &function.Parameter{Name: "newbits", Type: cty.Number},
		Type:     function.StaticReturnType(cty.List(cty.String)),
		Impl: func(args []cty.Value, typ cty.Type) (cty.Value, error) {
			if _, err := cidr(args[0]); err != nil {
				return cty.UnknownVal(typ), err
			}
			return cty.UnknownVal(typ), nil
		},
	})
)

func cidr(value cty.Value) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(value.AsString())
	if err != nil {
		return prefix, function.NewArgErrorf(0, "invalid CIDR expression: invalid CIDR address: %s", value.AsString())
	}
	return prefix.Masked(), nil
}

func subnet(prefix netip.Prefix, bits int, number *big.Int) (netip.Prefix, error) {
	length := prefix.Bits() + bits
	if bits < 0 || length > prefix.Addr().BitLen() {
		return prefix, fmt.Errorf("insufficient address space to extend prefix of %d by %d", prefix.Bits(), bits)
	}
	if number.Sign() < 0 || number.BitLen() > bits {
		return prefix, fmt.Errorf("prefix extension of %d does not accommodate a subnet numbered %s", bits, number)
	}
	offset := new(big.Int).Lsh(number, uint(prefix.Addr().BitLen()-length))
	return netip.PrefixFrom(plus(prefix.Addr(), offset), length), nil
}

func plus(start netip.Addr, offset *big.Int) netip.Addr {
	sum := new(big.Int).SetBytes(start.AsSlice())
	sum.Add(sum, offset)
	end, _ := netip.AddrFromSlice(sum.FillBytes(make([]byte, start.BitLen()/8)))
	return end
}

func cidrNetmask(text string) (string, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return "", fmt.Errorf("invalid CIDR expression: invalid CIDR address: %s", text)
	}
	if !prefix.Addr().Is4() {
		return "", fmt.Errorf("IPv6 addresses cannot have a netmask: %s", text)
	}
	mask, err := netip.MustParseAddr("255.255.255.255").Prefix(prefix.Bits())
	return mask.Addr().String(), err
}
