package generate

import (
	"slices"

	"github.com/plinthdb/plinth/kv/tuple"
)

// The API versions that changed what an operation of a program means.
const (
	// versionAbsentOperand made AND and MIN of an absent key their operand.
	versionAbsentOperand = 510
	// versionStampPlace made the place of a stamp four bytes, in values too.
	versionStampPlace = 520
)

// OldestAPIVersion is the oldest that programs can be made for: before it a
// commit reset its transaction.
const OldestAPIVersion = 410

// ForAPIVersion leaves out the steps that mean something else at an API
// version.
func (p *Program) ForAPIVersion(version int) *Program {
	var changed []string
	if version < versionAbsentOperand {
		changed = append(changed, "AND", "BIT_AND", "MIN")
	}
	if version < versionStampPlace {
		changed = append(changed, "SET_VERSIONSTAMPED_KEY", "SET_VERSIONSTAMPED_VALUE", "TUPLE_PACK_WITH_VERSIONSTAMP")
	}
	older := *p
	older.Threads = nil
	for _, t := range p.Threads {
		steps := slices.DeleteFunc(slices.Clone(t.Steps), func(s Step) bool {
			return slices.ContainsFunc(s, func(instruction tuple.Tuple) bool {
				return slices.ContainsFunc(instruction, func(part any) bool { return isOneOf(part, changed) })
			})
		})
		older.Threads = append(older.Threads, Thread{Prefix: t.Prefix, Steps: steps})
	}
	return &older
}

// isOneOf reports whether an operation, or what is pushed, is one of some names.
func isOneOf(part any, names []string) bool {
	name, ok := part.(string)
	return ok && slices.Contains(names, name)
}
