package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
	"github.com/plinthdb/plinth/tests/conformance/machine"
	"github.com/plinthdb/plinth/tests/conformance/model"
)

// scripted is a program whose results were worked out by hand from the binding
// tester's specification.
type scripted struct {
	name string
	// program is values, which are pushed, and operations.
	program []any
	// stack is what is on the stack in the end, the oldest item first.
	stack []logged
	// rows are what is in the database in the end.
	rows map[string]string
}

// op is an operation; in a program all else is pushed.
type op string

// logged is an item and the number of the instruction that it came from.
type logged struct {
	instruction int
	value       any
}

func failed(code string) []byte {
	return tuple.Tuple{[]byte("ERROR"), []byte(code)}.Pack()
}

func packed(elements ...any) []byte { return tuple.Tuple(elements).Pack() }

var notPresent = []byte("RESULT_NOT_PRESENT")

func b(s string) []byte { return []byte(s) }

// calls reports whether the script has an operation.
func (s *scripted) calls(name string) bool { return slices.Contains(s.program, any(op(name))) }

// hasDirectories reports whether the script has an operation on directories.
func (s *scripted) hasDirectories() bool {
	return slices.ContainsFunc(s.program, func(p any) bool {
		o, ok := p.(op)
		return ok && strings.HasPrefix(string(o), "DIRECTORY_")
	})
}

func (s *scripted) toProgram() *generate.Program {
	var step generate.Step
	for _, p := range s.program {
		if o, ok := p.(op); ok {
			step = append(step, tuple.Tuple{string(o)})
			continue
		}
		step = append(step, tuple.Tuple{"PUSH", p})
	}
	step = append(step, tuple.Tuple{"PUSH", []byte(generate.LogPrefix)}, tuple.Tuple{"LOG_STACK"})
	return &generate.Program{Kind: "scripted", Threads: []generate.Thread{{Prefix: []byte("test"), Steps: []generate.Step{step}}}}
}

// verify compares what a program left behind with what it must.
func (s *scripted) verify(t *testing.T, got check.Outcome) {
	t.Helper()
	want := map[string]string{}
	for place, item := range s.stack {
		key := generate.LogPrefix + string(packed(int64(place), int64(item.instruction)))
		want[key] = string(packed(item.value))
	}
	for key, value := range s.rows {
		want[key] = value
	}
	for key, value := range got {
		if strings.HasPrefix(key, "\x01test") || strings.HasPrefix(key, "\x14") || strings.HasPrefix(key, "\xfe") {
			continue // the program, and directories
		}
		if w, ok := want[key]; !ok || w != value {
			t.Errorf("row %q is %s, want %s", key, rowText(value, true), rowText(w, ok))
		}
		delete(want, key)
	}
	for key, value := range want {
		t.Errorf("row %q is absent, want %s", key, rowText(value, true))
	}
}

func rowText(value string, present bool) string {
	if !present {
		return "absent"
	}
	if t, err := tuple.Unpack([]byte(value)); err == nil {
		return t.String()
	}
	return fmt.Sprintf("%q", value)
}

func TestModelDoesWhatTheSpecificationSays(t *testing.T) {
	for _, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			got, err := check.Predict(s.toProgram(), model.Dialect{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			s.verify(t, got)
		})
	}
}

func TestKVDoesWhatTheSpecificationSays(t *testing.T) {
	onStore(t, openKV, func(s *check.Subject) { runScripts(t, s) })
}

func TestCompatDoesWhatTheSpecificationSays(t *testing.T) {
	onStore(t, openFDB, func(s *check.Subject) { runScripts(t, s) })
}

func runScripts(t *testing.T, subject *check.Subject) {
	for _, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			got, err := subject.Run(s.toProgram())
			if err != nil {
				t.Fatal(err)
			}
			s.verify(t, got)
		})
	}
}

// TestScriptsUseEveryOperation runs the scripts' names against the machine's
// table, so that none is forgotten.
func TestScriptsUseEveryOperation(t *testing.T) {
	used := map[string]bool{}
	for _, s := range scripts() {
		for _, p := range s.program {
			if o, ok := p.(op); ok {
				name := strings.TrimSuffix(strings.TrimSuffix(string(o), "_SNAPSHOT"), "_DATABASE")
				used[name] = true
			}
		}
	}
	used["PUSH"], used["LOG_STACK"] = true, true // by every script
	for _, name := range machine.Operations() {
		if !used[name] {
			t.Errorf("no script uses %s", name)
		}
	}
}

// TestUnitTestsFailWithTheClient: what they find wrong ends the program.
func TestUnitTestsFailWithTheClient(t *testing.T) {
	for name, open := range map[string]opener{"kv": openKV, "compat": openFDB} {
		s, closeStore, err := open(t.TempDir())
		if err == nil {
			err = closeStore()
		}
		if err != nil {
			t.Fatal(err)
		}
		err = s.Client.UnitTests()
		if err == nil {
			t.Errorf("%s: they pass on a store that is closed", name)
		}
		if _, numbered := s.Client.ErrorCode(err); numbered {
			t.Errorf("%s: the error %v would go to the stack", name, err)
		}
	}
}
