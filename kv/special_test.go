package kv_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

const special = "\xff\xff"

// specialRows reads a range of special keys given by what follows \xff\xff.
func specialRows(r kv.Reader, begin, end string, o kv.RangeOptions) ([]kv.KeyValue, error) {
	return r.Range(kv.KeyRange{Begin: []byte(special + begin), End: []byte(special + end)}, o).Slice()
}

// keySet reads the ranges below a prefix of special keys.
func keySet(t *rapid.T, tx *kv.Transaction, name string) (ranges []kv.KeyRange) {
	prefix := "/transaction/" + name + "/"
	rows, err := specialRows(tx, prefix, strings.TrimSuffix(prefix, "/")+"0", kv.RangeOptions{})
	if err != nil || len(rows)%2 != 0 {
		t.Fatalf("%s: rows %q, error %v", name, rows, err)
	}
	for i, row := range rows {
		if string(row.Value) != []string{"1", "0"}[i%2] {
			t.Fatalf("%s: rows %q", name, rows)
		}
		key := bytes.TrimPrefix(row.Key, []byte(special+prefix))
		if i%2 == 0 {
			ranges = append(ranges, kv.KeyRange{Begin: key})
		} else {
			ranges[i/2].End = key
		}
	}
	return ranges
}

// TestTheTransactionModuleShowsWhatIsCommitted compares the special keys with
// the conflict ranges of the commit.
func TestTheTransactionModuleShowsWhatIsCommitted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := &spy{Store: load(bases.Draw(t, "base"))}
		db := kv.NewDatabase(store)
		defer db.Close()
		tx := db.Begin(background, kv.WithBypassUnreadable(true))
		defer tx.Cancel()
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "reads") {
				drawRead(t).issue(tx)()
			} else {
				drawWrite(t, true).issue(tx)
			}
		}
		if _, err := tx.ReadVersion(); err != nil {
			t.Fatal(err)
		}
		tx.Set([]byte("z"), nil)
		reads, writes := keySet(t, tx, "read_conflict_range"), keySet(t, tx, "write_conflict_range")
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		for i := range reads {
			if i > 0 && bytes.Compare(reads[i-1].End, reads[i].Begin) >= 0 {
				t.Fatalf("ranges are not apart: %q", reads)
			}
		}
		for _, key := range allShortKeys() {
			if covers(reads, key) != covers(store.last.ReadConflicts, key) || covers(writes, key) != covers(store.last.WriteConflicts, key) {
				t.Fatalf("key %q: shown %q and %q, committed %+v", key, reads, writes, store.last)
			}
		}
	})
}

// allShortKeys returns all keys that random reads and writes are about.
func allShortKeys() (out []string) {
	out = []string{""}
	for first := 0; len(out) < 40; first++ {
		for _, c := range "abc" {
			out = append(out, out[first]+string(c))
		}
	}
	return out
}

func TestConflictingKeysAreSpecialKeysOfTheFailedCommit(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background, kv.WithReportConflictingKeys(true))
	defer tx.Cancel()
	for _, key := range []string{"a", "b", "c"} {
		must(tx.Get([]byte(key)).Wait())(t)
	}
	tx.Set([]byte("z"), nil)
	set(t, db, "b", "theirs")
	mustBe(t, tx.Commit(), kv.ErrNotCommitted)
	got := must(specialRows(tx, "/transaction/conflicting_keys/", "/transaction/conflicting_keys/\xff\xff", kv.RangeOptions{}))(t)
	want := `["\xff\xff/transaction/conflicting_keys/b"="1" "\xff\xff/transaction/conflicting_keys/b\x00"="0"]`
	var text []string
	for _, row := range got {
		text = append(text, fmt.Sprintf("%q=%q", row.Key, row.Value))
	}
	if "["+strings.Join(text, " ")+"]" != want {
		t.Errorf("rows %s, want %s", text, want)
	}
	if value := must(tx.Get([]byte(special + "/transaction/conflicting_keys/b")).Wait())(t); string(value) != "1" {
		t.Errorf("value %q of the first key", value)
	}
}

// The rules on modules, of reads and of writes.
func TestSpecialKeysAreReadModuleByModule(t *testing.T) {
	rows := func(begin, end string, options ...kv.TransactionOption) func(tx *kv.Transaction) error {
		return func(tx *kv.Transaction) error {
			tx.SetOptions(options...)
			_, err := specialRows(tx, begin, end, kv.RangeOptions{})
			return err
		}
	}
	get := func(key string) func(tx *kv.Transaction) error {
		return func(tx *kv.Transaction) error { _, err := tx.Get([]byte(special + key)).Wait(); return err }
	}
	writes := func(f func(tx *kv.Transaction), options ...kv.TransactionOption) func(tx *kv.Transaction) error {
		return func(tx *kv.Transaction) error {
			tx.SetOptions(options...)
			f(tx)
			return tx.Commit()
		}
	}
	enable := kv.WithSpecialKeyWrites(true)
	locked := []byte(special + "/management/db_locked")
	for name, c := range map[string]struct {
		f    func(tx *kv.Transaction) error
		want error
	}{
		"whole module":       {rows("/transaction/", "/transaction0"), nil},
		"part of a module":   {rows("/transaction/r", "/transaction/s"), nil},
		"one key":            {get("/connection_string"), nil},
		"absent key":         {get("/transaction/what"), nil},
		"empty range":        {rows("/status/json", "/status/json"), nil},
		"no module":          {rows("/tracing/", "/tracing0"), kv.ErrSpecialNoModule},
		"key of no module":   {get("/worker_interfaces"), kv.ErrSpecialNoModule},
		"two modules":        {rows("/status/json", "/transaction0"), kv.ErrSpecialCrossModuleRead},
		"beyond a module":    {rows("/transaction/", "/transaction1"), kv.ErrSpecialCrossModuleRead},
		"from no module":     {rows("/s", "/transaction0"), kv.ErrSpecialCrossModuleRead},
		"two, relaxed":       {rows("/status/json", "/transaction0", kv.WithSpecialKeysRelaxed(true)), nil},
		"none, relaxed":      {rows("/x", "/y", kv.WithSpecialKeysRelaxed(true)), nil},
		"nothing to exclude": {get("/management/excluded/127.0.0.1"), kv.ErrSpecialNoModule},
		"no such metrics":    {get("/metrics/sickness/aggregate"), kv.ErrSpecialNoModule},
		"inverted":           {rows("/transaction0", "/transaction/"), kv.ErrInvertedRange},
		"from user keys": {func(tx *kv.Transaction) error {
			_, err := tx.Range(kv.KeyRange{End: []byte(special + "/b")}, kv.RangeOptions{}).Slice()
			return err
		}, kv.ErrKeyOutsideLegalRange},
		"write, not enabled":  {writes(func(tx *kv.Transaction) { tx.Set(locked, nil) }), kv.ErrSpecialWriteDisabled},
		"clear, not enabled":  {writes(func(tx *kv.Transaction) { tx.Clear(locked) }), kv.ErrSpecialWriteDisabled},
		"write to read-only":  {writes(func(tx *kv.Transaction) { tx.Set([]byte(special+"/status/json"), nil) }, enable), kv.ErrSpecialNoWriteModule},
		"write to no module":  {writes(func(tx *kv.Transaction) { tx.Set([]byte(special+"/x"), nil) }, enable), kv.ErrSpecialNoWriteModule},
		"exclude":             {writes(func(tx *kv.Transaction) { tx.Set([]byte(special+"/management/excluded/x"), nil) }, enable), kv.ErrSpecialNoWriteModule},
		"clear two modules":   {writes(func(tx *kv.Transaction) { tx.ClearRange(kv.KeyRange{Begin: locked, End: []byte(special + "/t")}) }, enable), kv.ErrSpecialCrossModule},
		"atomic operation":    {writes(func(tx *kv.Transaction) { tx.Add(locked, nil) }, enable), kv.ErrKeyOutsideLegalRange},
		"lock with a bad id":  {writes(func(tx *kv.Transaction) { tx.Set(locked, []byte("x")) }, enable), kv.ErrSpecialAPIFailure},
		"unlock what is open": {writes(func(tx *kv.Transaction) { tx.Clear(locked) }, enable), nil},
	} {
		db, _ := open(t)
		tx := db.Begin(background)
		if err := c.f(tx); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		tx.Cancel()
		if _, err := tx.Get([]byte(special + "/connection_string")).Wait(); !errors.Is(err, kv.ErrTransactionCancelled) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
	}
}

// What FoundationDB has and this store has not is refused, to read and to write,
// with a text that says what there is.
func TestSpecialKeysThatAreNotThereSaySo(t *testing.T) {
	db, _ := open(t)
	for _, name := range []string{
		"management/excluded/127.0.0.1", "management/failed/127.0.0.1", "management/excluded_locality/zone", "management/failed_locality/zone",
		"management/in_progress_exclusion/127.0.0.1", "management/options/excluded/force", "management/maintenance/zone",
		"management/data_distribution/mode", "management/consistency_check_suspended", "management/auto_coordinators",
		"configuration/coordinators/processes", "management/min_required_commit_version", "management/version_epoch",
		"management/profiling/client_txn_sample_rate", "management/tenant/map/t", "configuration/process/class_type/127.0.0.1",
		"global_config/config/x", "tracing/transaction_id", "tracing/token", "worker_interfaces/127.0.0.1", "actor_lineage/state/x",
		"actor_profiler_conf/x",
	} {
		key := []byte(special + "/" + name)
		tx := db.Begin(background, kv.WithSpecialKeyWrites(true))
		_, err := tx.Get(key).Wait()
		mustBe(t, err, kv.ErrSpecialNoModule)
		if err != nil && !strings.Contains(err.Error(), "this store has") {
			t.Errorf("%s: %v", name, err)
		}
		tx.Set(key, []byte("1"))
		mustBe(t, tx.Commit(), kv.ErrSpecialNoWriteModule)
		tx.Cancel()
	}
}

// Limits, direction and selectors work on special keys as on others.
func TestRangeReadsOfSpecialKeysHaveAllOptions(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	for _, key := range []string{"a", "c", "e"} {
		tx.AddReadConflictKey([]byte(key))
	}
	prefix := special + "/transaction/read_conflict_range/"
	all := []string{"a", "a\x00", "c", "c\x00", "e", "e\x00"}
	read := func(begin, end kv.KeySelector, o kv.RangeOptions) (keys []string) {
		t.Helper()
		for row, err := range tx.RangeSelectors(begin, end, o).All() {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, strings.TrimPrefix(string(row.Key), prefix))
		}
		return keys
	}
	first, last := kv.FirstGreaterOrEqual([]byte(prefix)), kv.FirstGreaterOrEqual([]byte(prefix+"z"))
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	third := kv.KeySelector{Key: []byte(prefix), Offset: 3}
	beforeC := kv.LastLessThan([]byte(prefix + "c"))
	for name, c := range map[string]struct{ got, want []string }{
		"all":       {read(first, last, kv.RangeOptions{}), all},
		"reverse":   {read(first, last, kv.RangeOptions{Reverse: true}), reversed},
		"limit":     {read(first, last, kv.RangeOptions{Limit: 2, Reverse: true}), reversed[:2]},
		"bytes":     {read(first, last, kv.RangeOptions{LimitBytes: 1}), all[:1]},
		"selectors": {read(beforeC, last, kv.RangeOptions{}), all[1:]},
		"offset":    {read(third, last, kv.RangeOptions{}), all[2:]},
		"clamped":   {read(kv.KeySelector{Key: []byte(prefix), Offset: -50}, third, kv.RangeOptions{}), all[:2]},
		"overrun":   {read(first, kv.KeySelector{Key: []byte(prefix), Offset: 50}, kv.RangeOptions{}), all},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
	for range tx.Range(kv.KeyRange{Begin: []byte(prefix), End: []byte(prefix + "z")}, kv.RangeOptions{}).All() {
		break // an iteration may be broken off
	}
}

// The lock is a special key that can be written.
func TestTheLockIsASpecialKey(t *testing.T) {
	db, _ := open(t)
	key, id := []byte(special+"/management/db_locked"), strings.Repeat("0a", 16)
	write := func(f func(tx *kv.Transaction)) error {
		tx := db.Begin(background, kv.WithSpecialKeyWrites(true))
		defer tx.Cancel()
		f(tx)
		return tx.Commit()
	}
	lock := func(id string) error {
		return write(func(tx *kv.Transaction) {
			tx.Set(key, []byte(id))
			if value := must(tx.Get(key).Wait())(t); string(value) != id {
				t.Errorf("own write reads %q", value)
			}
		})
	}
	look := func() string {
		tx := db.Begin(background)
		defer tx.Cancel()
		return string(must(tx.Get(key).Wait())(t))
	}
	for range 2 {
		if err := lock(id); err != nil {
			t.Fatal(err)
		}
	}
	if got := look(); got != id {
		t.Errorf("locked by %s", got)
	}
	mustBe(t, setWith(db), kv.ErrDatabaseLocked)
	mustBe(t, lock(strings.Repeat("0b", 16)), kv.ErrSpecialAPIFailure)
	if err := write(func(tx *kv.Transaction) { tx.Clear(key) }); err != nil {
		t.Fatal(err)
	}
	if got := look(); got != "" {
		t.Errorf("locked by %s after the unlock", got)
	}
	if err := setWith(db); err != nil {
		t.Error(err)
	}
	tx := db.Begin(background, kv.WithSpecialKeyWrites(true))
	defer tx.Cancel()
	tx.Set(key, []byte("no id"))
	mustBe(t, tx.Commit(), kv.ErrSpecialAPIFailure)
	var message struct {
		Retriable        bool
		Command, Message string
	}
	if err := json.Unmarshal(must(tx.Get([]byte(special+"/error_message")).Wait())(t), &message); err != nil {
		t.Fatal(err)
	}
	if message.Command != "lock" || message.Retriable || !strings.Contains(message.Message, "no id") {
		t.Errorf("message %+v", message)
	}
}

// dig returns the value at a path of a JSON document.
func dig(t *testing.T, document any, path string) any {
	t.Helper()
	for _, name := range strings.Split(path, ".") {
		o, ok := document.(map[string]any)
		if !ok || o[name] == nil {
			t.Fatalf("no %s at %s", name, path)
		}
		document = o[name]
	}
	return document
}

func TestTheStoreTellsWhoItIs(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	for key, want := range map[string]string{
		"/connection_string": "model", "/cluster_file_path": "model-file", "/cluster_id": "cafe" + strings.Repeat("0", 28),
	} {
		if value := must(tx.Get([]byte(special + key)).Wait())(t); string(value) != want {
			t.Errorf("%s is %q", key, value)
		}
	}
	plain := kv.NewDatabase(struct{ kv.Backend }{model.New()})
	defer plain.Close()
	silent := plain.Begin(background)
	defer silent.Cancel()
	for _, key := range []string{"/status/json", "/connection_string", "/cluster_file_path", "/cluster_id"} {
		if value := must(silent.Get([]byte(special + key)).Wait())(t); value != nil {
			t.Errorf("%s of a store that does not say: %q", key, value)
		}
	}
}

func TestTheMetricsModuleShowsTheSizesOfShards(t *testing.T) {
	store := load(map[string]string{"a": "12345", "x": "123"})
	store.Boundaries = []string{"m"}
	db := kv.NewDatabase(store)
	defer db.Close()
	tx := db.Begin(background)
	defer tx.Cancel()
	prefix := special + "/metrics/data_distribution_stats/"
	got := map[string]string{}
	for _, row := range must(specialRows(tx, prefix[2:], prefix[2:len(prefix)-1]+"0", kv.RangeOptions{}))(t) {
		got[strings.TrimPrefix(string(row.Key), prefix)] = string(row.Value)
	}
	if want := map[string]string{"": `{"shard_bytes":6}`, "m": `{"shard_bytes":4}`}; !maps.Equal(got, want) {
		t.Errorf("shards %v, want %v", got, want)
	}
}
