package conformance_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// generated returns which kinds of programs have each instruction. A start of
// seeds is enough to tell.
func generated() map[string]string {
	kindsOf := map[string][]string{}
	for _, k := range kinds() {
		for seed := range uint64(60) {
			for _, thread := range k.make(seed).Threads {
				for _, instruction := range thread.Instructions() {
					name := instruction[0].(string)
					if !slices.Contains(kindsOf[name], k.name) {
						kindsOf[name] = append(kindsOf[name], k.name)
					}
				}
			}
		}
	}
	out := map[string]string{}
	for name, list := range kindsOf {
		out[name] = strings.Join(list, " ")
	}
	return out
}

// TestEveryInstructionIsGeneratedWhereTheTableSays, and the table has what the
// machine has.
func TestEveryInstructionIsGeneratedWhereTheTableSays(t *testing.T) {
	table, found := instructions(), generated()
	for _, name := range machine.Instructions() {
		if table[name] == "" {
			t.Errorf("the table lacks %s, which is in programs of the kinds: %s", name, found[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if want := table[name]; found[name] != want && want != inScriptsAlone {
			t.Errorf("%s is in programs of the kinds: %s; the table says: %s", name, found[name], want)
		}
	}
	if n := len(machine.Instructions()); n != len(table) {
		t.Errorf("the table has %d instructions, the machine %d", len(table), n)
	}
}
