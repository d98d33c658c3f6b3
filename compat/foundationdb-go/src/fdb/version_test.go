package fdb_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// What an API version changes, each in a process of its own, since a process
// can select one.
func TestAPIVersionsBehaveAsDocumented(t *testing.T) {
	for _, version := range []int{200, 299, 300, 409, 410, 509, 510, 519, 520, 609, 610, 629, 630, 699, 700, 730} {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			t.Parallel()
			want := fmt.Sprint(
				" snapshot sees own writes: ", version >= 300,
				" usable after commit: ", version < 410,
				" and, min of absent: ", pick(version >= 510, "0x0207 0x0207", "0x0000 0x0000"),
				" and, min of present: 0x0003 0x0207",
				" and without a conflict: none, then one",
				" stamped: ", pick(version >= 520, "k?????????? v??????????", "k?????????? ??????????v"),
				" limit outlives retry: ", version >= 610,
				" after a retry the database's limit holds: ", version < 610,
				" others stay: true",
				" usable after a fatal error: ", version < 610,
				" a commit that failed: ", pick(version < 410, "reset, goes on as it was", "2017, goes on as it was"),
				" read version after the commit: ", pick(version >= 700, "the same the same", "a new one a new one"),
				" special keys: ", pick(version >= 630, "got <nil>", "2004 2004"),
				" status: got",
				" address: ", pick(version >= 630, "127.0.0.1:0", "127.0.0.1")+" 127.0.0.1:0 127.0.0.1:0",
			)
			mustEqual(t, process(t, strconv.Itoa(version), filepath.Join(t.TempDir(), "store")), strings.TrimSpace(want))
		})
	}
}

func pick(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// underVersion reports what TestAPIVersionsBehaveAsDocumented looks at.
func underVersion(db fdb.Database) string {
	out := fmt.Sprint(
		" snapshot sees own writes: ", snapshotSeesWrites(db),
		" usable after commit: ", usableAfterCommit(db),
		" and, min of absent: ", ofAbsent(db),
		" and, min of present: ", ofPresent(db),
		" and without a conflict: ", andWithoutConflict(db),
		" stamped: ", stamped(db),
		" limit outlives retry: ", limitOutlivesRetry(db),
		" after a retry the database's limit holds: ", databaseLimitIsBack(db, fdb.TransactionOptions.SetRetryLimit),
		" others stay: ", databaseLimitIsBack(db, fdb.TransactionOptions.SetTimeout),
		" usable after a fatal error: ", usableAfterError(db),
		" a commit that failed: ", afterFailedCommit(db),
		" read version after the commit: ", versionAfterCommit(db, false), " ", versionAfterCommit(db, true),
		" special keys: ", specialKeys(db),
		" status: ", got(db, "\xff\xff/status/json"),
		" address: ", addresses(db),
	)
	return strings.TrimSpace(out)
}

// inTransaction runs f, which must not fail, and commits.
func inTransaction(db fdb.Database, f func(tr fdb.Transaction) interface{}) interface{} {
	result, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) { return f(tr), nil })
	if err != nil {
		return err
	}
	return result
}

func snapshotSeesWrites(db fdb.Database) interface{} {
	return inTransaction(db, func(tr fdb.Transaction) interface{} {
		tr.Set(fdb.Key("own"), nil)
		seen := tr.Snapshot().Get(fdb.Key("own")).MustGet() != nil
		tr.Reset() // the default must hold for what follows it
		tr.Set(fdb.Key("own"), nil)
		if again := tr.Snapshot().Get(fdb.Key("own")).MustGet() != nil; again != seen {
			return "not after a reset"
		}
		tr.Clear(fdb.Key("own"))
		return seen
	})
}

func usableAfterCommit(db fdb.Database) interface{} {
	tr, err := db.CreateTransaction()
	if err != nil {
		return err
	}
	tr.Set(fdb.Key("first"), nil)
	tr.Commit().MustGet()
	version, err := tr.GetCommittedVersion()
	if err != nil || version <= 0 {
		return fmt.Sprint("committed at ", version, err)
	}
	_, err = tr.Get(fdb.Key("first")).Get()
	return err == nil
}

// usableAfterError looks at what OnError makes of a transaction that cannot be
// tried again: its writes must be gone.
func usableAfterError(db fdb.Database) interface{} {
	tr, err := db.CreateTransaction()
	if err != nil {
		return err
	}
	tr.Set(fdb.Key("before"), nil)
	if err := tr.OnError(fdb.Error{Code: 2000}).Get(); err == nil {
		return "no error"
	}
	value, err := tr.Get(fdb.Key("before")).Get()
	if value != nil {
		return "the writes are there"
	}
	return err == nil
}

func ofAbsent(db fdb.Database) string {
	return binary(db, func(tr fdb.Transaction) {
		tr.Clear(fdb.Key("and"))
		tr.Clear(fdb.Key("min"))
	})
}

func ofPresent(db fdb.Database) string {
	return binary(db, func(tr fdb.Transaction) {
		tr.Set(fdb.Key("and"), []byte{0x7d, 0x1b, 0xff})
		tr.Set(fdb.Key("min"), []byte{0x03, 0x08, 0xff})
	})
}

// binary shows what And and Min with 0x0207 make of two values.
func binary(db fdb.Database, prepare func(tr fdb.Transaction)) string {
	inTransaction(db, func(tr fdb.Transaction) interface{} { prepare(tr); return nil })
	inTransaction(db, func(tr fdb.Transaction) interface{} {
		tr.BitAnd(fdb.Key("and"), []byte{0x02, 0x07})
		tr.Min(fdb.Key("min"), []byte{0x02, 0x07})
		return nil
	})
	return fmt.Sprint(inTransaction(db, func(tr fdb.Transaction) interface{} {
		return fmt.Sprintf("0x%x 0x%x", tr.Get(fdb.Key("and")).MustGet(), tr.Get(fdb.Key("min")).MustGet())
	}))
}

// stamped shows a stamped key and value, with question marks for the stamp. Both
// are given with the offset 1, in as many bytes as the version asks for.
func stamped(db fdb.Database) interface{} {
	const place = "##########"
	version := fdb.MustGetAPIVersion()
	key, value := "k"+place+"\x01\x00", place+"v"
	if version >= 520 {
		key, value = key+"\x00\x00", "v"+place+"\x01\x00\x00\x00"
	}
	inTransaction(db, func(tr fdb.Transaction) interface{} {
		tr.SetVersionstampedKey(fdb.Key(key), []byte("k"))
		tr.SetVersionstampedValue(fdb.Key("stamped"), []byte(value))
		return nil
	})
	return inTransaction(db, func(tr fdb.Transaction) interface{} {
		row := tr.GetRange(fdb.KeyRange{Begin: fdb.Key("k"), End: fdb.Key("l")}, fdb.RangeOptions{}).GetSliceOrPanic()[0]
		got := string(tr.Get(fdb.Key("stamped")).MustGet())
		stamp := string(row.Key[1:])
		return strings.ReplaceAll(string(row.Key)+" "+got, stamp, "??????????")
	})
}

func limitOutlivesRetry(db fdb.Database) interface{} {
	runs := 0
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		if runs++; runs == 1 {
			if err := tr.Options().SetRetryLimit(1); err != nil {
				return nil, err
			}
		}
		if runs < 4 {
			return nil, fdb.Error{Code: 1020}
		}
		return nil, nil
	})
	var e fdb.Error
	if errors.As(err, &e) {
		return e.Code == 1020 && runs == 2
	}
	return runs != 4
}

// databaseLimitIsBack looks whether the retry limit of the database holds from
// the second try on, after the first has set an option of its own to 100,000.
func databaseLimitIsBack(db fdb.Database, set func(fdb.TransactionOptions, int64) error) interface{} {
	if err := db.Options().SetTransactionRetryLimit(3); err != nil {
		return err
	}
	runs := 0
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		if runs++; runs == 1 {
			if err := set(tr.Options(), 100_000); err != nil {
				return nil, err
			}
		}
		if runs < 10 {
			return nil, fdb.Error{Code: 1020}
		}
		return nil, nil
	})
	if offErr := db.Options().SetTransactionRetryLimit(-1); offErr != nil {
		return offErr
	}
	return runs == 4 && err == error(fdb.Error{Code: 1020})
}
