package generate

import (
	"github.com/plinthdb/plinth/kv/tuple"
)

// versionStampPlace is the API version that made the place of a stamp four
// bytes, in values too.
const versionStampPlace = 520

// OldestAPIVersion is the oldest that the compat module has.
const OldestAPIVersion = 200

// ForAPIVersion gives the operands of versionstamped operations the form that an
// API version asks for.
func (p *Program) ForAPIVersion(version int) *Program {
	if version >= versionStampPlace {
		return p
	}
	older := *p
	older.Threads = nil
	for _, t := range p.Threads {
		steps := make([]Step, len(t.Steps))
		for i, s := range t.Steps {
			steps[i] = withShortPlaces(s)
		}
		older.Threads = append(older.Threads, Thread{Prefix: t.Prefix, Steps: steps})
	}
	return &older
}

// withShortPlaces returns a step with places of two bytes in keys, and none in
// values. The operands are pushed right before the name: value, then key.
func withShortPlaces(s Step) Step {
	short := append(Step(nil), s...)
	for i, instruction := range s {
		if i < 2 || len(instruction) < 2 {
			continue
		}
		switch instruction[1] {
		case "SET_VERSIONSTAMPED_KEY":
			short[i-1] = cutPush(s[i-1], 2)
		case "SET_VERSIONSTAMPED_VALUE":
			short[i-2] = cutPush(s[i-2], 4)
		}
	}
	return short
}

// cutPush returns an instruction that pushes n bytes less.
func cutPush(push tuple.Tuple, n int) tuple.Tuple {
	operand := push[1].([]byte)
	return tuple.Tuple{push[0], operand[:len(operand)-n]}
}
