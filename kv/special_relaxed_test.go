package kv_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

// WithSpecialKeysRelaxed lets a read go over any number of modules, or none,
// and over parts of modules where there is nothing. Without it none of these
// reads is allowed.
func TestARelaxedReadOfSpecialKeysFindsWhatThereIs(t *testing.T) {
	db, _ := open(t)
	for name, c := range map[string]struct {
		begin, end string
		want       []string
	}{
		"no module":                       {"/x", "/y", nil},
		"part of a module with nothing":   {"/management/excluded/", "/management/excluded0", nil},
		"between the metrics":             {"/metrics/a", "/metrics/b", nil},
		"end of a module, and others":     {"/management/z", "/status0", []string{"/metrics/", "/status/json"}},
		"over the end of a module":        {"/management/z", "/metrics/b", nil},
		"before a module, and its begin":  {"/error_n", "/management/e", nil},
		"a module and nothing after it":   {"/status/json", "/tracing0", []string{"/status/json"}},
		"part of a module, whole another": {"/cluster_i", "/error_", []string{"/cluster_id", "/connection_string"}},
	} {
		strict := db.Begin(background)
		if rows, err := specialRows(strict, c.begin, c.end, kv.RangeOptions{}); err == nil {
			t.Errorf("%s, not relaxed: rows %q", name, rows)
		}
		strict.Cancel()
		tx := db.Begin(background, kv.WithSpecialKeysRelaxed(true))
		rows := must(specialRows(tx, c.begin, c.end, kv.RangeOptions{}))(t)
		if got := modulesOf(rows); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		tx.Cancel()
	}
	tx := db.Begin(background, kv.WithSpecialKeysRelaxed(true))
	defer tx.Cancel()
	if value := must(tx.Get([]byte(special + "/management/excluded/127.0.0.1")).Wait())(t); value != nil {
		t.Errorf("an absent key has the value %q", value)
	}
	beforeStatus := kv.KeySelector{Key: []byte(special + "/management/z"), Offset: 1}
	afterStatus := kv.KeySelector{Key: []byte(special + "/status/json"), Offset: 2}
	rows := must(tx.RangeSelectors(beforeStatus, afterStatus, kv.RangeOptions{}).Slice())(t)
	if got := modulesOf(rows); !slices.Equal(got, []string{"/metrics/", "/status/json"}) {
		t.Errorf("between selectors: %q", got)
	}
}

// modulesOf returns the modules of rows, each once.
func modulesOf(rows []kv.KeyValue) (names []string) {
	for _, row := range rows {
		name := strings.TrimPrefix(string(row.Key), special)
		if strings.HasPrefix(name, "/metrics/") {
			name = "/metrics/"
		}
		names = append(names, name)
	}
	return slices.Compact(names)
}
