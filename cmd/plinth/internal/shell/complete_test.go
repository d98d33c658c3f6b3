package shell

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/cmd/plinth/internal/fakestore"
	"github.com/plinthdb/plinth/internal/wire"
)

func TestCompletionKnowsVerbsAndTheirWords(t *testing.T) {
	_, s, _ := newSession(t, Config{})
	for line, want := range map[string][]string{
		"getrange":            {"getrange ", "getrangekeys ", "getrangesplitpoints "},
		"beg":                 {"begin "},
		"set a 1; com":        {"set a 1; commit "},
		"get a;cle":           {"get a;clear ", "get a;clearrange "},
		"help esc":            {"help escaping "},
		"help opt":            {"help option ", "help options "},
		"help wri":            {"help writemode "},
		"writemode o":         {"writemode on ", "writemode off "},
		"status ":             {"status minimal ", "status details ", "status json ", "status plinth "},
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
		"option on read_l":    {"option on read_lock_aware "},
		"dir exi":             {"dir exists "},
		"display ":            {"display bytes ", "display tuples ", "display alltuples "},
		"help tup":            {"help tuples "},
		`get \("a", 1); beg`:  {`get \("a", 1); begin `},
		`get \("a", `:         nil,
		`option on log`:       {"option on log_transaction "},
		`option on transa`:    {"option on transaction_logging_max_field_length "},
	} {
		if got := s.Complete(line); !reflect.DeepEqual(got, want) {
			t.Errorf("Complete(%q) = %q, want %q", line, got, want)
		}
	}
	if got := s.Complete(""); len(got) != len(verbNames()) {
		t.Errorf("of nothing %d completions, want all %d verbs", len(got), len(verbNames()))
	}
}

func TestCompletionKnowsSpecialKeys(t *testing.T) {
	_, s, _ := newSession(t, Config{})
	for line, want := range map[string][]string{
		`get \xff\xff/st`:                  {`get \xff\xff/status/json `},
		`getrange \xff\xff/metr`:           {`getrange \xff\xff/metrics/data_distribution_stats/`},
		`set a 1; set \xff\xff/manag`:      {`set a 1; set \xff\xff/management/db_locked `},
		`getkey ge \xff\xff/cluster_`:      {`getkey ge \xff\xff/cluster_file_path `, `getkey ge \xff\xff/cluster_id `},
		`getkey \xff\xff/cluster_i`:        {`getkey \xff\xff/cluster_id `},
		`option on \xff`:                   nil,
		`clearrange \xff\xff/transact\xff`: nil,
	} {
		if got := s.Complete(line); !reflect.DeepEqual(got, want) {
			t.Errorf("Complete(%q) = %q, want %q", line, got, want)
		}
	}
	// What is offered can be read.
	for _, key := range specialKeys() {
		verb := "get "
		if strings.HasSuffix(key, "/") {
			verb = "getrange "
		}
		if err := s.Run(t.Context(), verb+key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if words, err := Parse(statusJSONWord); err != nil || string(words[0][0]) != statusJSONKey {
		t.Errorf("%s is %q, %v", statusJSONWord, words, err)
	}
}

func TestCompletionTurnsOffOnlyWhatIsOn(t *testing.T) {
	_, s, out := newSession(t, Config{})
	if got := s.Complete("option off "); got != nil {
		t.Errorf("of none %q", got)
	}
	if err := s.Run(t.Context(), "option on timeout 5; option on tag a; option on size_limit 100"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := s.Complete("option off t"), []string{"option off timeout ", "option off tag "}; !reflect.DeepEqual(got, want) {
		t.Errorf("completed to %q, want %q", got, want)
	}
}

func TestCompletionKnowsDirectories(t *testing.T) {
	store, s, out := newSession(t, Config{})
	if err := s.Run(t.Context(), `dir mkdir app/users; dir mkdir "app/all users"; dir mkdir archive; dir mkdir app/users/~1x`); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line, want := range map[string][]string{
		"dir l":                    {"dir ls "},
		"dir ls ":                  {"dir ls app/", "dir ls archive/"},
		"dir ls ap":                {"dir ls app/"},
		"dir ls app/":              {`dir ls app/all\x20users/`, "dir ls app/users/"},
		"dir ls /app/u":            {"dir ls /app/users/"},
		`dir ls app/all\x20users/`: nil,
		"dir rm -r app/users/":     {"dir rm -r app/users/~1x/"},
		"get a; dir mv arch":       {"get a; dir mv archive/"},
		"dir ls nowhere/":          nil,
		`dir ls "ap`:               nil,
	} {
		if got := s.Complete(line); !reflect.DeepEqual(got, want) {
			t.Errorf("Complete(%q) = %q, want %q", line, got, want)
		}
	}
	store.Fault = func(fakestore.Call, wire.Version) error { return wire.ErrDatabaseClosed }
	if got := s.Complete("dir ls "); got != nil {
		t.Errorf("of a closed store %q", got)
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

func TestPathsReadBack(t *testing.T) {
	name := rapid.StringOfN(rapid.SampledFrom([]rune("ab/~01 é")), 1, 4, -1)
	rapid.Check(t, func(r *rapid.T) {
		path := rapid.SliceOfN(name, 1, 4).Draw(r, "path")
		if got := pathOf([]byte(pathText(path))); !reflect.DeepEqual(got, path) {
			r.Fatalf("%q is written %s and read %q", path, pathText(path), got)
		}
	})
	for text, want := range map[string][]string{"": nil, "/": nil, "/a": {"a"}, "a/": {"a"}, "/a/b/": {"a", "b"}} {
		if got := pathOf([]byte(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("pathOf(%q) = %q, want %q", text, got, want)
		}
	}
}
