package shell

import (
	"reflect"
	"testing"
)

func TestCompletionKnowsVerbsAndTheirWords(t *testing.T) {
	_, s, _ := newSession(t, Config{})
	for line, want := range map[string][]string{
		"getr":                {"getrange ", "getrangekeys "},
		"beg":                 {"begin "},
		"set a 1; com":        {"set a 1; commit "},
		"get a;cle":           {"get a;clear ", "get a;clearrange "},
		"help esc":            {"help escaping "},
		"help opt":            {"help option ", "help options "},
		"help wri":            {"help writemode "},
		"writemode o":         {"writemode on ", "writemode off "},
		"status ":             {"status minimal ", "status details ", "status json "},
		"option ":             {"option on ", "option off "},
		"option on prio":      {"option on priority_batch ", "option on priority_system_immediate "},
		"option off timeout ": nil,
		"atomic byte":         {"atomic byte_max ", "atomic byte_min "},
		"getkey l":            {"getkey lt ", "getkey le "},
		"get ke":              nil,
		"help get g":          nil,
		"nonsense x":          nil,
		`get \`:               nil,
		`get "a b`:            nil,
	} {
		if got := s.Complete(line); !reflect.DeepEqual(got, want) {
			t.Errorf("Complete(%q) = %q, want %q", line, got, want)
		}
	}
	if got := s.Complete(""); len(got) != len(verbNames()) {
		t.Errorf("of nothing %d completions, want all %d verbs", len(got), len(verbNames()))
	}
}

// TestWordsThatAreOfferedAreAccepted keeps completion and commands together.
func TestWordsThatAreOfferedAreAccepted(t *testing.T) {
	for _, name := range optionNames() {
		if o, err := findOption(name); err != nil || (o.make == nil) == (o.once == nil) {
			t.Errorf("option %s: %+v, %v", name, o, err)
		}
	}
	table := verbs()
	for name := range absent() {
		if _, ok := table[name]; ok {
			t.Errorf("`%s' is a command and absent at once", name)
		}
	}
	for name, v := range table {
		if name != v.name || v.run == nil || v.short == "" || v.usage[:len(name)] != name {
			t.Errorf("`%s' is incomplete: %+v", name, v)
		}
	}
}
