package kv_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// Options of Begin hold for every try, those of SetOptions for one, but for
// time-out, retry limit and delay, which OnError leaves and Reset takes back.
func TestOptionsLastAsLongAsFoundationDBs(t *testing.T) {
	db := loadSystem(t)
	system := []byte("\xff/x")
	may := func(tx *kv.Transaction) bool {
		_, err := tx.Get(system).Wait()
		return err == nil
	}
	retry := func(tx *kv.Transaction) {
		t.Helper()
		if err := tx.OnError(kv.ErrNotCommitted); err != nil {
			t.Fatal(err)
		}
	}
	tx := db.Begin(background, kv.WithReadSystemKeys(true))
	defer tx.Cancel()
	if retry(tx); !may(tx) {
		t.Error("an option of Begin is lost on a retry")
	}
	if tx.Reset(); !may(tx) {
		t.Error("an option of Begin is lost on a reset")
	}
	late := db.Begin(background)
	defer late.Cancel()
	late.SetOptions(kv.WithReadSystemKeys(true), kv.WithRetryLimit(2))
	if !may(late) {
		t.Error("an option has no effect")
	}
	if retry(late); may(late) {
		t.Error("an option of SetOptions outlives a retry")
	}
	retry(late)
	mustBe(t, late.OnError(kv.ErrNotCommitted), kv.ErrNotCommitted)
	late.Reset()
	for range 5 {
		retry(late)
	}
	late.SetOptions(kv.WithReadSystemKeys(true))
	if late.Reset(); may(late) {
		t.Error("an option of SetOptions outlives a reset")
	}
}

func TestAResetBeginsTheTimeOutAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t)
		tx := db.Begin(background, kv.WithTimeout(3*time.Second))
		defer tx.Cancel()
		<-time.After(2 * time.Second)
		tx.Reset()
		<-time.After(2 * time.Second)
		must(tx.ReadVersion())(t)
		<-time.After(2 * time.Second)
		_, err := tx.Get([]byte("k")).Wait()
		mustBe(t, err, kv.ErrTransactionTimedOut)
		tx.Reset()
		must(tx.Get([]byte("k")).Wait())(t)
		tx.Cancel()
		tx.Reset()
		_, err = tx.Get([]byte("k")).Wait()
		mustBe(t, err, kv.ErrTransactionCancelled)
	})
}

func TestTheMaximumDelayBoundsEveryPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t)
		const most = 15 * time.Millisecond
		tx := db.Begin(background, kv.WithMaxRetryDelay(most))
		defer tx.Cancel()
		for range 8 {
			began := time.Now()
			if err := tx.OnError(kv.ErrProcessBehind); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took <= 0 || took > most {
				t.Errorf("a pause of %v", took)
			}
		}
	})
}

func TestReadYourWritesCannotBeSwitchedOffLate(t *testing.T) {
	for name, use := range map[string]func(tx *kv.Transaction){
		"get":      func(tx *kv.Transaction) { tx.Get([]byte("k")) },
		"snapshot": func(tx *kv.Transaction) { tx.Snapshot().Range(kv.AllKeys(), kv.RangeOptions{}) },
		"key":      func(tx *kv.Transaction) { tx.GetKey(kv.FirstGreaterThan(nil)) },
		"set":      func(tx *kv.Transaction) { tx.Set([]byte("k"), nil) },
		"clear":    func(tx *kv.Transaction) { tx.Clear([]byte("k")) },
	} {
		db, _ := open(t)
		tx := db.Begin(background)
		use(tx)
		tx.SetOptions(kv.WithReadYourWrites(false))
		if err := tx.Commit(); !errors.Is(err, kv.ErrClientInvalidOperation) {
			t.Errorf("%s: %v", name, err)
		}
		tx.Reset()
		tx.SetOptions(kv.WithReadYourWrites(false))
		tx.Set([]byte("k"), []byte("v"))
		if value := must(tx.Get([]byte("k")).Wait())(t); value != nil {
			t.Errorf("%s: the own write is seen", name)
		}
		tx.SetOptions(kv.WithReadYourWrites(false))
		if err := tx.Commit(); err != nil {
			t.Errorf("%s: set again, which changes nothing: %v", name, err)
		}
		tx.Cancel()
	}
}

// TestConflictingKeysAreTheRangesThatWereWritten compares the report with all
// ranges that were read.
func TestConflictingKeysAreTheRangesThatWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := kv.NewDatabase(model.New())
		defer db.Close()
		report := rapid.Bool().Draw(t, "report")
		tx := db.Begin(background, kv.WithReportConflictingKeys(report))
		defer tx.Cancel()
		if _, err := tx.ReadVersion(); err != nil {
			t.Fatal(err)
		}
		var reads []kv.KeyRange
		for range rapid.IntRange(0, 4).Draw(t, "reads") {
			r := drawSpan(t).KeyRange()
			tx.AddReadConflictRange(r)
			reads = append(reads, r)
		}
		tx.Set([]byte("own"), nil)
		written := []byte(keys.Draw(t, "written"))
		if err := setKey(db, written); err != nil {
			t.Fatal(err)
		}
		hit := slices.ContainsFunc(reads, func(r kv.KeyRange) bool { return r.Contains(written) })
		if err := tx.Commit(); errors.Is(err, kv.ErrNotCommitted) != hit {
			t.Fatalf("commit: %v", err)
		}
		ranges := tx.ConflictingKeys()
		if (len(ranges) > 0) != (hit && report) {
			t.Fatalf("conflicting %q, hit %v", ranges, hit)
		}
		for i, r := range ranges {
			if !r.Contains(written) || i > 0 && bytes.Compare(ranges[i-1].End, r.Begin) >= 0 {
				t.Fatalf("conflicting %q after a write of %q", ranges, written)
			}
		}
		tx.Reset()
		if ranges := tx.ConflictingKeys(); ranges != nil {
			t.Fatalf("conflicting %q after a reset", ranges)
		}
	})
}

func setKey(db *kv.Database, key []byte) error {
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.Set(key, nil)
	return tx.Commit()
}

// The function that Transact runs again can look what it lost on.
func TestConflictingKeysAreKnownToTheNextTry(t *testing.T) {
	db, _ := open(t)
	var seen []kv.KeyRange
	tries := 0
	must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		if tries++; tries > 1 {
			seen = tx.ConflictingKeys()
			return 0, nil
		}
		must(tx.Get([]byte("k")).Wait())(t)
		tx.Set([]byte("k"), []byte("mine"))
		return 0, setKey(db, []byte("k"))
	}, kv.WithReportConflictingKeys(true)))(t)
	if len(seen) != 1 || !seen[0].Contains([]byte("k")) {
		t.Errorf("conflicting %q", seen)
	}
}

func TestTagsAreCheckedAndSent(t *testing.T) {
	long := strings.Repeat("t", 17)
	mustBe(t, kv.CheckOptions(kv.WithTag(long)), kv.ErrTagTooLong)
	six := []kv.TransactionOption{kv.WithTag("1"), kv.WithTag("2"), kv.WithTag("2"), kv.WithTag("3"), kv.WithTag("4"), kv.WithTag("5")}
	if err := kv.CheckOptions(append(six, kv.WithTag(long[1:]))...); !errors.Is(err, kv.ErrTooManyTags) {
		t.Errorf("six tags: %v", err)
	}
	backend := &asked{Store: model.New()}
	db := kv.NewDatabase(backend, kv.WithTransactionDefaults(kv.WithTag("all")))
	defer db.Close()
	for _, tag := range []string{"a", "b"} {
		must(db.Begin(background, kv.WithTag(tag)).ReadVersion())(t)
	}
	if got := strings.Join(slices.Concat(backend.tags...), " "); got != "all a all b" {
		t.Errorf("tags %s", got)
	}
}

// A cached version is one that the database has seen lately, and only for the
// first try.
func TestACachedReadVersionIsBoundedByItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := open(t)
		option := kv.WithCachedReadVersion(100 * time.Millisecond)
		ask := func(tx *kv.Transaction, want int) kv.Version {
			t.Helper()
			before := store.Calls("ReadVersion")
			v := must(tx.ReadVersion())(t)
			if got := store.Calls("ReadVersion") - before; got != want {
				t.Errorf("%d read versions were asked for, want %d", got, want)
			}
			return v
		}
		ask(db.Begin(background, option), 1)
		if err := setWith(db); err != nil {
			t.Fatal(err)
		}
		first := db.Begin(background, option)
		ask(first, 0)
		if value := must(first.Get([]byte("k")).Wait())(t); string(value) != "v" {
			t.Errorf("the own commit is not seen: %q", value)
		}
		ask(db.Begin(background), 1)
		ask(db.Begin(background, option, kv.WithCachedReadVersion(0)), 1)
		if err := first.OnError(kv.ErrNotCommitted); err != nil {
			t.Fatal(err)
		}
		ask(first, 1)
		<-time.After(101 * time.Millisecond)
		ask(db.Begin(background, option), 1)
	})
	for _, age := range []time.Duration{-1, 5 * time.Second} {
		mustBe(t, kv.CheckOptions(kv.WithCachedReadVersion(age)), kv.ErrInvalidOptionValue)
	}
}

// What is accepted without an effect has none.
func TestRiskyOptionsChangeNothing(t *testing.T) {
	options := []kv.TransactionOption{
		kv.WithCausalReadRisky(true), kv.WithCausalWriteRisky(true), kv.WithUsedDuringCommitProtection(false),
	}
	if err := kv.CheckOptions(options...); err != nil {
		t.Fatal(err)
	}
	plain, risky := &spy{Store: model.New()}, &spy{Store: model.New()}
	for backend, options := range map[*spy][]kv.TransactionOption{plain: nil, risky: options} {
		db := kv.NewDatabase(backend)
		defer db.Close()
		if err := setWith(db, options...); err != nil {
			t.Fatal(err)
		}
	}
	if plain.last.ReadVersion != risky.last.ReadVersion || !bytes.Equal(plain.last.Mutations, risky.last.Mutations) {
		t.Errorf("%+v, with the options %+v", plain.last, risky.last)
	}
}

func TestFirstInBatchGoesWithTheCommit(t *testing.T) {
	store := &spy{Store: model.New()}
	db := kv.NewDatabase(store)
	defer db.Close()
	for _, on := range []bool{false, true} {
		if err := setWith(db, kv.WithFirstInBatch(on)); err != nil {
			t.Fatal(err)
		}
		if store.last.FirstInBatch != on {
			t.Errorf("with %v the store is asked for %v", on, !on)
		}
	}
}

func TestATransactionLogTellsWhatWasDone(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, _ := open(t, kv.WithLogger(logger))
	run := func(options ...kv.TransactionOption) string {
		out.Reset()
		tx := db.Begin(background, options...)
		defer tx.Cancel()
		must(tx.Get([]byte("key\x00")).Wait())(t)
		must(tx.Range(kv.AllKeys(), kv.RangeOptions{Limit: 1}).Slice())(t)
		tx.Set([]byte("long-key-"+strings.Repeat("k", 100)), nil)
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	log := run(kv.WithDebugID("mover"), kv.WithLogFieldLimit(10), kv.WithTransactionLog(true))
	for _, want := range []string{
		"transaction=mover", `msg="read version"`, `key=key\x00`, `msg="get range"`, "param1=long-key-k...", "msg=commit", "error=<nil>",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if log := run(kv.WithDebugID("quiet")); log != "" {
		t.Errorf("a transaction that does not log wrote %s", log)
	}
	for name, c := range map[string]struct {
		option kv.TransactionOption
		want   error
	}{
		"no name":        {kv.WithTransactionLog(true), kv.ErrClientInvalidOperation},
		"empty name":     {kv.WithDebugID(""), kv.ErrInvalidOptionValue},
		"long name":      {kv.WithDebugID(strings.Repeat("n", 101)), kv.ErrInvalidOptionValue},
		"no field":       {kv.WithLogFieldLimit(0), kv.ErrInvalidOptionValue},
		"below no limit": {kv.WithLogFieldLimit(-2), kv.ErrInvalidOptionValue},
	} {
		if err := kv.CheckOptions(c.option); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The metadata version is read by everybody, renewed by everybody, and in one
// way only.
func TestTheMetadataVersionIsAStampThatComesWithTheReadVersion(t *testing.T) {
	db, store := open(t)
	key, param := []byte(kv.MetadataVersionKey), make([]byte, 14)
	tx := db.Begin(background)
	defer tx.Cancel()
	if value := must(tx.Get(key).Wait())(t); value != nil {
		t.Errorf("value %x of a new store", value)
	}
	tx.SetVersionstampedValue(key, param)
	_, err := tx.Get(key).Wait()
	mustBe(t, err, kv.ErrAccessedUnreadable)
	tx.Reset()
	tx.SetVersionstampedValue(key, param)
	stamp := tx.Versionstamp()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	want := must(stamp.Wait())(t)
	reader := db.Begin(background)
	defer reader.Cancel()
	must(reader.ReadVersion())(t)
	before := store.Calls("GetValues")
	if value := must(reader.Get(key).Wait())(t); !bytes.Equal(value, want[:]) || store.Calls("GetValues") != before {
		t.Errorf("value %x, want %x without another call", value, want)
	}
	reader.Set([]byte("k"), nil)
	if err := renewMetadataVersion(db); err != nil {
		t.Fatal(err)
	}
	mustBe(t, reader.Commit(), kv.ErrNotCommitted)
	for name, write := range map[string]func(tx *kv.Transaction){
		"set":       func(tx *kv.Transaction) { tx.Set(key, param) },
		"add":       func(tx *kv.Transaction) { tx.Add(key, param) },
		"offset":    func(tx *kv.Transaction) { tx.SetVersionstampedValue(key, stampParam("x", 1)) },
		"more":      func(tx *kv.Transaction) { tx.SetVersionstampedValue(key, stampParam("x", 0)) },
		"not zeros": func(tx *kv.Transaction) { tx.SetVersionstampedValue(key, stampParam("", 0)) },
	} {
		tx := db.Begin(background, kv.WithSystemKeys(true))
		write(tx)
		if err := tx.Commit(); !errors.Is(err, kv.ErrClientInvalidOperation) {
			t.Errorf("%s: %v", name, err)
		}
		tx.Cancel()
	}
	old := db.Begin(background)
	defer old.Cancel()
	old.SetReadVersion(wire.Version(must(tx.CommittedVersion())(t)))
	if value := must(old.Get(key).Wait())(t); !bytes.Equal(value, want[:]) {
		t.Errorf("value %x at the version of its stamp %x", value, want)
	}
}

func renewMetadataVersion(db *kv.Database) error {
	tx := db.Begin(context.Background())
	defer tx.Cancel()
	tx.SetVersionstampedValue([]byte(kv.MetadataVersionKey), make([]byte, 14))
	return tx.Commit()
}
