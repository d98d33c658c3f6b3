package kv_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

func TestGetsIssuedTogetherTravelTogether(t *testing.T) {
	db, store := open(t)
	set(t, db, "3", "three")
	tx := db.Begin(background)
	defer tx.Cancel()
	var futures []kv.Future[[]byte]
	for i := range 10 {
		futures = append(futures, tx.Get([]byte{byte('0' + i)}))
	}
	for i, f := range futures {
		if value := must(f.Wait())(t); (value != nil) != (i == 3) {
			t.Fatalf("value %q of key %d", value, i)
		}
	}
	if store.Calls("GetValues") != 1 || store.Calls("ReadVersion") != 2 { // one for set
		t.Fatalf("%d reads, %d read versions", store.Calls("GetValues"), store.Calls("ReadVersion"))
	}
}

func TestVeryManyGetsTravelInSeveralMessages(t *testing.T) {
	db, store := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	var last kv.Future[[]byte]
	for i := range 3000 {
		last = tx.Get([]byte{byte(i), byte(i >> 8)})
	}
	must(last.Wait())(t)
	if n := store.Calls("GetValues"); n != 3 {
		t.Fatalf("%d messages, want 3", n)
	}
}

func TestFuturesMayBeWaitedForFromManyGoroutines(t *testing.T) {
	db, _ := open(t)
	set(t, db, "k", "v")
	tx := db.Begin(background)
	defer tx.Cancel()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				value, err := tx.Get([]byte("k")).Wait()
				if err != nil || string(value) != "v" {
					t.Errorf("value %q, error %v", value, err)
				}
				key, err := tx.GetKey(kv.LastLessThan([]byte("l"))).Wait()
				if err != nil || string(key) != "k" {
					t.Errorf("key %q, error %v", key, err)
				}
				tx.Set([]byte("other"), value)
			}
		})
	}
	group.Wait()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestAReadOnlyTransactionSendsNoCommit(t *testing.T) {
	db, store := open(t)
	must(kv.Transact(background, db, func(tx *kv.Transaction) ([]byte, error) {
		tx.AddReadConflictKey([]byte("j"))
		return tx.Get([]byte("k")).Wait()
	}))(t)
	if store.Calls("Commit") != 0 {
		t.Fatal("a commit was sent")
	}
}

func TestABlindWriteNeedsNoReadVersionWhenOneIsKnown(t *testing.T) {
	db, store := open(t)
	for range 5 {
		set(t, db, "k", "v")
	}
	if n := store.Calls("ReadVersion"); n != 1 {
		t.Fatalf("%d read versions asked for, want 1", n)
	}
}

func TestABlindWriteThatIsTooOldAsksForAReadVersion(t *testing.T) {
	db, store := open(t)
	set(t, db, "k", "v")
	failures := 1
	store.Hook = hookOn("Commit", func(context.Context) error {
		if failures--; failures >= 0 {
			return kv.ErrTransactionTooOld
		}
		return nil
	})
	set(t, db, "k", "w")
	if n := store.Calls("ReadVersion"); n != 2 {
		t.Fatalf("%d read versions asked for, want 2", n)
	}
}

func TestAbsentIsNilAndEmptyIsNot(t *testing.T) {
	db, _ := open(t)
	set(t, db, "empty", "")
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.Set([]byte("own"), nil)
	for key, present := range map[string]bool{"empty": true, "own": true, "absent": false} {
		if value := must(tx.Get([]byte(key)).Wait())(t); (value != nil) != present || len(value) != 0 {
			t.Errorf("value of %q: %#v", key, value)
		}
	}
}

// TestSlicesBelongToTheCaller (K9) scribbles over everything that it gave to
// the client and got from it.
func TestSlicesBelongToTheCaller(t *testing.T) {
	db, _ := open(t)
	set(t, db, "a", "stored")
	tx := db.Begin(background)
	defer tx.Cancel()
	key, value := []byte("b"), []byte("written")
	tx.Set(key, value)
	tx.Add([]byte("a"), []byte{0, 0, 0, 0, 0, 0})
	scribble := func(slices ...[]byte) {
		for _, s := range slices {
			for i := range s {
				s[i] = '!'
			}
			_ = append(s, "overflow"...)
		}
	}
	scribble(key, value)
	for range 2 {
		a, b := must(tx.Get([]byte("a")).Wait())(t), must(tx.Get([]byte("b")).Wait())(t)
		if string(a) != "stored" || string(b) != "written" {
			t.Fatalf("values %q and %q", a, b)
		}
		scribble(a, b)
		for row, err := range tx.Range(kv.AllKeys(), kv.RangeOptions{}).All() {
			if err != nil {
				t.Fatal(err)
			}
			scribble(row.Key, row.Value)
		}
		scribble(must(tx.GetKey(kv.FirstGreaterOrEqual(nil)).Wait())(t))
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if a, b := get(t, db, "a"), get(t, db, "b"); a != `"stored"` || b != `"written"` {
		t.Fatalf("stored %s and %s", a, b)
	}
}

// TestTheFirstInvalidWriteSticks (K2) makes each kind of invalid operation.
func TestTheFirstInvalidWriteSticks(t *testing.T) {
	long := func(n int) []byte { return bytes.Repeat([]byte("k"), n) }
	inverted := kv.KeyRange{Begin: []byte("b"), End: []byte("a")}
	for name, c := range map[string]struct {
		write func(tx *kv.Transaction)
		want  error
		text  string
	}{
		"key too large":        {func(tx *kv.Transaction) { tx.Set(long(10_001), nil) }, kv.ErrKeyTooLarge, "10001"},
		"clear too large":      {func(tx *kv.Transaction) { tx.Clear(long(10_001)) }, kv.ErrKeyTooLarge, "10001"},
		"atomic too large":     {func(tx *kv.Transaction) { tx.Add(long(10_001), nil) }, kv.ErrKeyTooLarge, "10001"},
		"range too large":      {func(tx *kv.Transaction) { tx.ClearRange(kv.PrefixRange(long(10_002))) }, kv.ErrKeyTooLarge, "10002"},
		"value too large":      {func(tx *kv.Transaction) { tx.Set([]byte("key"), long(100_001)) }, kv.ErrValueTooLarge, `"key"`},
		"operand too large":    {func(tx *kv.Transaction) { tx.Max([]byte("key"), long(100_001)) }, kv.ErrValueTooLarge, "100001"},
		"reserved key":         {func(tx *kv.Transaction) { tx.Set([]byte("\xff/x"), nil) }, kv.ErrKeyOutsideLegalRange, `\xff/x`},
		"reserved range":       {func(tx *kv.Transaction) { tx.ClearRange(kv.PrefixRange([]byte("\xff"))) }, kv.ErrKeyOutsideLegalRange, `\xff`},
		"inverted range":       {func(tx *kv.Transaction) { tx.ClearRange(inverted) }, kv.ErrInvertedRange, `"b"`},
		"inverted conflict":    {func(tx *kv.Transaction) { tx.AddReadConflictRange(inverted) }, kv.ErrInvertedRange, `"b"`},
		"stamp without offset": {func(tx *kv.Transaction) { tx.SetVersionstampedKey([]byte("k"), nil) }, kv.ErrClientInvalidOperation, `"k"`},
		"stamp does not fit": {func(tx *kv.Transaction) {
			tx.SetVersionstampedValue([]byte("k"), []byte("0123456789\x01\x00\x00\x00"))
		}, kv.ErrClientInvalidOperation, "10 bytes"},
		"no atomic operation": {func(tx *kv.Transaction) { tx.Atomic(wire.ClearRange, []byte("k"), nil) }, kv.ErrInvalidMutationType, "1"},
		"bad read version":    {func(tx *kv.Transaction) { tx.SetReadVersion(-1) }, kv.ErrVersionInvalid, "-1"},
		"bad option":          {func(tx *kv.Transaction) { tx.SetOptions(kv.WithSizeLimit(1)) }, kv.ErrInvalidOptionValue, "32"},
	} {
		t.Run(name, func(t *testing.T) {
			db, store := open(t)
			tx := db.Begin(background)
			defer tx.Cancel()
			tx.Set([]byte("good"), nil)
			c.write(tx)
			tx.ClearRange(kv.KeyRange{Begin: []byte("z"), End: []byte("y")}) // not the first
			_, err := tx.Get([]byte("good")).Wait()
			mustBe(t, err, c.want)
			if !strings.Contains(err.Error(), c.text) {
				t.Errorf("%q does not name %q", err, c.text)
			}
			_, err = tx.Range(kv.AllKeys(), kv.RangeOptions{}).Slice()
			mustBe(t, err, c.want)
			_, err = tx.GetKey(kv.FirstGreaterOrEqual(nil)).Wait()
			mustBe(t, err, c.want)
			mustBe(t, tx.Commit(), c.want)
			if store.Calls("Commit") != 0 {
				t.Error("something was sent")
			}
			mustBe(t, tx.OnError(err), c.want)
		})
	}
}

// TestReadsThatWereNotSentFailAfterAnInvalidWrite (K2): nothing is sent any
// more, not even what was issued before.
func TestReadsThatWereNotSentFailAfterAnInvalidWrite(t *testing.T) {
	db, store := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	arrived := tx.Get([]byte("j"))
	must(arrived.Wait())(t)
	calls := store.Calls("GetValues")
	get, key := tx.Get([]byte("k")), tx.GetKey(kv.FirstGreaterThan([]byte("k")))
	rows := tx.Range(kv.AllKeys(), kv.RangeOptions{})
	tx.Set([]byte("\xff"), nil)
	_, err := get.Wait()
	mustBe(t, err, kv.ErrKeyOutsideLegalRange)
	_, err = key.Wait()
	mustBe(t, err, kv.ErrKeyOutsideLegalRange)
	_, err = rows.Slice()
	mustBe(t, err, kv.ErrKeyOutsideLegalRange)
	if store.Calls("GetValues") != calls || store.Calls("GetKey")+store.Calls("GetRange") != 0 {
		t.Error("something was sent")
	}
	if _, err := arrived.Wait(); err != nil {
		t.Errorf("a value that had arrived is gone: %v", err)
	}
}

// TestNothingIsSentOnceTheContextHasEnded (K8), with a read version that is
// known and with one that is not.
func TestNothingIsSentOnceTheContextHasEnded(t *testing.T) {
	cause := errors.New("the user has gone")
	for _, known := range []bool{true, false} {
		db, store := open(t)
		ctx, end := context.WithCancelCause(background)
		tx := db.Begin(ctx)
		if known {
			must(tx.ReadVersion())(t)
		}
		get, key := tx.Get([]byte("k")), tx.GetKey(kv.FirstGreaterThan([]byte("k")))
		rows := tx.Range(kv.AllKeys(), kv.RangeOptions{})
		tx.Set([]byte("k"), nil)
		calls := store.Calls("ReadVersion")
		end(cause)
		_, err := get.Wait()
		mustBe(t, err, cause)
		_, err = key.Wait()
		mustBe(t, err, cause)
		_, err = rows.Slice()
		mustBe(t, err, cause)
		mustBe(t, tx.Commit(), cause)
		for _, call := range []string{"GetValues", "GetKey", "GetRange", "Commit"} {
			calls += store.Calls(call)
		}
		if calls != store.Calls("ReadVersion") {
			t.Errorf("version known %t: something was sent", known)
		}
		tx.Cancel()
	}
}

func TestATransactionThatGrowsTooLargeIsRefused(t *testing.T) {
	db, store := open(t)
	value := make([]byte, 100_000)
	_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		for i := range 101 {
			tx.Set([]byte{byte(i)}, value)
		}
		return 0, nil
	})
	mustBe(t, err, kv.ErrTransactionTooLarge)
	_, err = kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		tx.Set([]byte("k"), make([]byte, 100))
		return 0, nil
	}, kv.WithSizeLimit(100))
	mustBe(t, err, kv.ErrTransactionTooLarge)
	if store.Calls("Commit") != 0 {
		t.Fatal("something was sent")
	}
}

func TestInvalidReadsFailAlone(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	_, err := tx.Get([]byte("\xff")).Wait()
	mustBe(t, err, kv.ErrKeyOutsideLegalRange)
	_, err = tx.Get(make([]byte, 10_001)).Wait()
	mustBe(t, err, kv.ErrKeyTooLarge)
	_, err = tx.GetKey(kv.LastLessThan([]byte("\xff\x00"))).Wait()
	mustBe(t, err, kv.ErrKeyOutsideLegalRange)
	_, err = tx.Range(kv.KeyRange{Begin: []byte("b"), End: []byte("a")}, kv.RangeOptions{}).Slice()
	mustBe(t, err, kv.ErrInvertedRange)
	_, err = tx.Range(kv.AllKeys(), kv.RangeOptions{Limit: -1}).Slice()
	mustBe(t, err, kv.ErrRangeLimitsInvalid)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// A cancelled transaction said 2005 of an inverted range, and 2004 of bounds
// among the system's keys.
func TestACancelledTransactionLooksAtNoArguments(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	tx.Cancel()
	inverted, outside := kv.KeyRange{Begin: []byte("b"), End: []byte("a")}, []byte("\xff\x00")
	for _, r := range []kv.Reader{tx, tx.Snapshot()} {
		_, err := r.Range(inverted, kv.RangeOptions{}).Slice()
		mustBe(t, err, kv.ErrTransactionCancelled)
		_, err = r.RangeSelectors(kv.FirstGreaterThan(outside), kv.LastLessThan(outside), kv.RangeOptions{}).Slice()
		mustBe(t, err, kv.ErrTransactionCancelled)
		_, err = r.GetKey(kv.LastLessThan(outside)).Wait()
		mustBe(t, err, kv.ErrTransactionCancelled)
		_, err = r.Get(outside).Wait()
		mustBe(t, err, kv.ErrTransactionCancelled)
	}
}

func TestTheReadVersionCanBeSetOnlyBeforeItIsKnown(t *testing.T) {
	db, _ := open(t)
	old := must(db.Begin(background).ReadVersion())(t)
	set(t, db, "k", "v")
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.SetReadVersion(old)
	if value := must(tx.Get([]byte("k")).Wait())(t); value != nil {
		t.Fatalf("value %q at version %d", value, old)
	}
	tx.SetReadVersion(old)
	_, err := tx.Get([]byte("k")).Wait()
	mustBe(t, err, kv.ErrReadVersionAlreadySet)
	tx.Reset()
	if value := must(tx.Get([]byte("k")).Wait())(t); string(value) != "v" {
		t.Fatalf("value %q after the reset", value)
	}
}

func TestTheCommittedVersionIsThatOfTheCommit(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	_, err := tx.CommittedVersion()
	mustBe(t, err, kv.ErrNoCommitVersion)
	tx.Set([]byte("k"), nil)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	version := must(tx.CommittedVersion())(t)
	if read := must(db.Begin(background).ReadVersion())(t); read != version {
		t.Fatalf("committed at %d, read version is %d", version, read)
	}
	tx.Reset()
	stamp := tx.Versionstamp()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	_, err = tx.CommittedVersion()
	mustBe(t, err, kv.ErrNoCommitVersion)
	_, err = stamp.Wait()
	mustBe(t, err, kv.ErrNoCommitVersion)
}

func TestTheVersionstampIsTheOneThatWasWritten(t *testing.T) {
	db, store := open(t)
	future := must(kv.Transact(background, db, func(tx *kv.Transaction) (kv.Future[kv.Stamp], error) {
		tx.SetVersionstampedKey(stampParam("key-", 4), []byte("v"))
		tx.SetVersionstampedValue([]byte("value"), stampParam("", 0))
		return tx.Versionstamp(), nil
	}))(t)
	stamp := must(future.Wait())(t)
	rows := store.Rows()
	if len(rows) != 2 || string(rows[0].Key) != "key-"+string(stamp[:]) || string(rows[1].Value) != string(stamp[:]) {
		t.Fatalf("stamp %x, rows %q", stamp, rows)
	}
}

// Such a transaction stays open after its commit has failed.
func TestAnInvalidTransactionHasNoVersionstamp(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.SetVersionstampedValue([]byte("k"), make([]byte, wire.StampBytes+4))
	tx.Set(make([]byte, kv.MaxKeyBytes+1), nil)
	stamp := tx.Versionstamp()
	if err := tx.Commit(); !errors.Is(err, kv.ErrKeyTooLarge) {
		t.Fatal(err)
	}
	if _, err := stamp.Wait(); !errors.Is(err, kv.ErrKeyTooLarge) {
		t.Errorf("the stamp's error is %v", err)
	}
}

func TestTheVersionstampFailsWithItsTransaction(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	tx.Set([]byte("k"), nil)
	stamp, failed := tx.Versionstamp(), make(chan error)
	go func() {
		_, err := stamp.Wait()
		failed <- err
	}()
	tx.Cancel()
	mustBe(t, <-failed, kv.ErrTransactionCancelled)
}

func TestOperationsDuringAndAfterTheCommitFail(t *testing.T) {
	db, store := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	store.Hook = hookOn("Commit", func(context.Context) error {
		_, err := tx.Get([]byte("k")).Wait()
		mustBe(t, err, kv.ErrUsedDuringCommit)
		mustBe(t, tx.Commit(), kv.ErrUsedDuringCommit)
		tx.Set([]byte("late"), nil)
		return nil
	})
	tx.Set([]byte("k"), nil)
	unwaited := tx.Get([]byte("other"))
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, tx.Commit(), kv.ErrUsedDuringCommit)
	_, err := unwaited.Wait()
	mustBe(t, err, kv.ErrUsedDuringCommit)
	if rows := store.Rows(); len(rows) != 1 {
		t.Fatalf("rows %q", rows)
	}
}

// TestFuturesOfBeforeAResetFail checks K7.
func TestFuturesOfBeforeAResetFail(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	future, rows := tx.Get([]byte("k")), tx.Range(kv.AllKeys(), kv.RangeOptions{})
	tx.Reset()
	_, err := future.Wait()
	mustBe(t, err, kv.ErrTransactionCancelled)
	_, err = rows.Slice()
	mustBe(t, err, kv.ErrTransactionCancelled)
}

func TestAnAbandonedIterationStillConflicts(t *testing.T) {
	db, _ := open(t)
	for _, key := range []string{"a", "b", "c"} {
		set(t, db, key, "v")
	}
	for key, conflicts := range map[string]bool{"a": true, "b": true, "c": false} {
		tx := db.Begin(background)
		for row, err := range tx.Range(kv.AllKeys(), kv.RangeOptions{}).All() {
			if err != nil {
				t.Fatal(err)
			}
			if string(row.Key) != "b" {
				continue
			}
			set(t, db, key, "theirs")
			tx.Set([]byte("mine"), nil)
			if err := tx.Commit(); (err != nil) != conflicts {
				t.Errorf("commit in the middle of an iteration that came to b, %s being changed: %v", key, err)
			}
			break
		}
		tx.Cancel()
	}
}

func TestPrefixRangesEndAtTheNextPrefix(t *testing.T) {
	for prefix, end := range map[string]string{"": "\xff", "a": "b", "a\xff": "b", "a\xff\xff": "b", "\x00": "\x01"} {
		r := kv.PrefixRange([]byte(prefix))
		if string(r.Begin) != prefix || string(r.End) != end {
			t.Errorf("prefix %q: %q", prefix, r)
		}
	}
	if _, ok := kv.Strinc([]byte("\xff\xff")); ok {
		t.Error("nothing sorts after every key that begins with ff ff")
	}
	if r := kv.PrefixRange([]byte("\xff")); !r.Contains([]byte("\xff\xff\xff")) {
		t.Error("prefix ff lacks some of its keys")
	}
}
