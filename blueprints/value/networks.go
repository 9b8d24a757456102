package value

import (
	"errors"
	"fmt"
	"math/big"
	"net"

	"github.com/apparentlymart/go-cidr/cidr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

var networks = map[string]function.Function{
	"cidrhost":    cidrHost,
	"cidrnetmask": cidrNetmask,
	"cidrsubnet":  cidrSubnet,
	"cidrsubnets": cidrSubnets,
}

func prefix(v cty.Value) (*net.IPNet, error) {
	_, network, err := net.ParseCIDR(v.AsString())
	if err != nil {
		return nil, function.NewArgErrorf(0, "%q is not a network such as 10.0.0.0/16", v.AsString())
	}
	return network, nil
}

func wholeNumber(v cty.Value) (int, error) {
	n, acc := v.AsBigFloat().Int64()
	if acc != big.Exact {
		return 0, errors.New("a whole number is needed")
	}
	return int(n), nil
}

var cidrHost = function.New(&function.Spec{
	Params: []function.Parameter{param("prefix", cty.String), param("host", cty.Number)},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := prefix(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		n, err := wholeNumber(args[1])
		if err != nil {
			return cty.NilVal, err
		}
		ip, err := cidr.Host(network, n)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(ip.String()), nil
	},
})

var cidrNetmask = function.New(&function.Spec{
	Params: []function.Parameter{param("prefix", cty.String)},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := prefix(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		if network.IP.To4() == nil {
			return cty.NilVal, errors.New("only IPv4 networks have a netmask")
		}
		return cty.StringVal(net.IP(network.Mask).String()), nil
	},
})

var cidrSubnet = function.New(&function.Spec{
	Params: []function.Parameter{param("prefix", cty.String), param("newbits", cty.Number), param("netnum", cty.Number)},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := prefix(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		bits, err1 := wholeNumber(args[1])
		num, err2 := wholeNumber(args[2])
		if err := errors.Join(err1, err2); err != nil {
			return cty.NilVal, err
		}
		subnet, err := cidr.Subnet(network, bits, num)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(subnet.String()), nil
	},
})

var cidrSubnets = function.New(&function.Spec{
	Params:   []function.Parameter{param("prefix", cty.String)},
	VarParam: &function.Parameter{Name: "newbits", Type: cty.Number},
	Type:     function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := prefix(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		ones, _ := network.Mask.Size()
		var out []cty.Value
		var current *net.IPNet
		for i, arg := range args[1:] {
			bits, err := wholeNumber(arg)
			if err != nil {
				return cty.NilVal, function.NewArgError(i+1, err)
			}
			current, err = nextSubnet(network, current, ones+bits)
			if err != nil {
				return cty.NilVal, function.NewArgError(i+1, err)
			}
			out = append(out, cty.StringVal(current.String()))
		}
		if len(out) == 0 {
			return cty.ListValEmpty(cty.String), nil
		}
		return cty.ListVal(out), nil
	},
})

func nextSubnet(network, current *net.IPNet, length int) (*net.IPNet, error) {
	if current == nil {
		ones, _ := network.Mask.Size()
		return cidr.Subnet(network, length-ones, 0)
	}
	next, exhausted := cidr.NextSubnet(current, length)
	if exhausted || !network.Contains(next.IP) {
		return nil, fmt.Errorf("%s has no room for another /%d", network, length)
	}
	return next, nil
}
