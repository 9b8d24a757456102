package cel

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

func boolean(e expr, env *scope) (bool, error) {
	value, err := e(env)
	if err != nil {
		return false, err
	}
	truth, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("%s is not a boolean", typeName(value))
	}
	return truth, nil
}

func combine(op string, left, right expr) expr {
	switch op {
	case "||":
		return decide(left, right, true)
	case "&&":
		return decide(left, right, false)
	}
	return func(env *scope) (any, error) {
		a, err := left(env)
		if err != nil {
			return nil, err
		}
		b, err := right(env)
		if err != nil {
			return nil, err
		}
		return operate(op, a, b)
	}
}

// decide is || for true and && for false: either side settles the matter when
// it has that value, even if the other one fails.
func decide(left, right expr, settled bool) expr {
	return func(env *scope) (any, error) {
		a, errA := boolean(left, env)
		if errA == nil && a == settled {
			return settled, nil
		}
		b, errB := boolean(right, env)
		if errB == nil && b == settled {
			return settled, nil
		}
		if errA != nil {
			return nil, errA
		}
		if errB != nil {
			return nil, errB
		}
		return !settled, nil
	}
}

func operate(op string, a, b any) (any, error) {
	switch op {
	case "==":
		return equal(a, b), nil
	case "!=":
		return !equal(a, b), nil
	case "in":
		return contains(b, a)
	case "<", "<=", ">", ">=":
		order, err := compare(a, b)
		if err != nil {
			return nil, err
		}
		return op == "<" && order < 0 || op == "<=" && order <= 0 || op == ">" && order > 0 || op == ">=" && order >= 0, nil
	}
	return arithmetic(op, a, b)
}

func equal(a, b any) bool {
	if x, y, ok := floats(a, b); ok {
		return x == y
	}
	if q, ok := a.(Quantity); ok {
		r, ok := b.(Quantity)
		return ok && q.value.Cmp(r.value) == 0
	}
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for key := range x {
			other, has := y[key]
			if !has || !equal(x[key], other) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

// floats reads two numbers of which at least one is a double.
func floats(a, b any) (x, y float64, ok bool) {
	x, okX := asFloat(a)
	y, okY := asFloat(b)
	return x, y, okX && okY
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func contains(in, item any) (any, error) {
	switch in := in.(type) {
	case []any:
		for _, candidate := range in {
			if equal(candidate, item) {
				return true, nil
			}
		}
		return false, nil
	case map[string]any:
		name, ok := item.(string)
		_, has := in[name]
		return ok && has, nil
	}
	return nil, fmt.Errorf("in %s", typeName(in))
}

func compare(a, b any) (int, error) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return order(x, y), nil
		}
	}
	if x, y, ok := floats(a, b); ok {
		return order(x, y), nil
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return order(x, y), nil
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), nil
		}
	}
	return 0, fmt.Errorf("%s is not comparable with %s", typeName(a), typeName(b))
}

func order[T int64 | float64 | time.Duration](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func arithmetic(op string, a, b any) (any, error) {
	x, okX := a.(int64)
	y, okY := b.(int64)
	if okX && okY {
		return integers(op, x, y)
	}
	if x, y, ok := floats(a, b); ok {
		switch op {
		case "+":
			return x + y, nil
		case "-":
			return x - y, nil
		case "*":
			return x * y, nil
		case "/":
			return x / y, nil
		}
	}
	if op == "+" {
		switch x := a.(type) {
		case string:
			if y, ok := b.(string); ok {
				return x + y, nil
			}
		case []any:
			if y, ok := b.([]any); ok {
				return append(append([]any{}, x...), y...), nil
			}
		case time.Duration:
			if y, ok := b.(time.Duration); ok {
				return x + y, nil
			}
		}
	}
	return nil, fmt.Errorf("%s %s %s", typeName(a), op, typeName(b))
}

func integers(op string, x, y int64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	}
	if y == 0 {
		return nil, fmt.Errorf("division by zero")
	}
	if op == "/" {
		return x / y, nil
	}
	return x % y, nil
}

func selectField(value any, name string) (any, error) {
	m, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf(".%s of %s", name, typeName(value))
	}
	inside, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s", errNoKey, name)
	}
	return inside, nil
}

func indexValue(value, key any) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("a key is %s, not a string", typeName(key))
		}
		return selectField(value, name)
	case []any:
		i, ok := key.(int64)
		if !ok {
			return nil, fmt.Errorf("an index is %s, not a whole number", typeName(key))
		}
		if i < 0 || i >= int64(len(value)) {
			return nil, fmt.Errorf("index %d of %d items", i, len(value))
		}
		return value[i], nil
	}
	return nil, fmt.Errorf("index of %s", typeName(value))
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", v)
}
