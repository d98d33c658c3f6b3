package kv_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"maps"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// openExample stands for the package that provides a store, such as
// kv/embedded.
func openExample(options ...kv.DatabaseOption) *kv.Database {
	return kv.NewDatabase(model.New(), options...)
}

// put stores pairs of a key and a value.
func put(ctx context.Context, db *kv.Database, pairs ...string) {
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		for i := 0; i < len(pairs); i += 2 {
			tx.Set([]byte(pairs[i]), []byte(pairs[i+1]))
		}
		return struct{}{}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
}

// Move money between two accounts. Both reads travel together, and whatever
// others do to the accounts in the meantime, no money is lost or made.
func ExampleTransact() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	put(ctx, db, "account/alice", "\x64", "account/bob", "\x05")

	alice, bob := []byte("account/alice"), []byte("account/bob")
	left, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (byte, error) {
		from, to := tx.Get(alice), tx.Get(bob)
		a, err := from.Wait()
		if err != nil {
			return 0, err
		}
		b, err := to.Wait()
		if err != nil {
			return 0, err
		}
		if a[0] < 30 {
			return 0, errors.New("not enough money")
		}
		tx.Set(alice, []byte{a[0] - 30})
		tx.Set(bob, []byte{b[0] + 30})
		return a[0] - 30, nil
	})
	fmt.Println(left, err)
	// Output: 70 <nil>
}

// Read rows of one moment.
func ExampleReadTransact() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	put(ctx, db, "fruit/apple", "red", "fruit/lemon", "yellow", "fruit/plum", "blue", "tool/saw", "grey")

	names, err := kv.ReadTransact(ctx, db, func(r kv.Reader) (names []string, err error) {
		for row, err := range r.Range(kv.PrefixRange([]byte("fruit/")), kv.RangeOptions{Reverse: true}).All() {
			if err != nil {
				return nil, err
			}
			names = append(names, string(row.Key))
		}
		return names, nil
	})
	fmt.Println(names, err)
	// Output: [fruit/plum fruit/lemon fruit/apple] <nil>
}

// An absent key and an empty value are different things.
func ExampleFuture() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	put(ctx, db, "empty", "")

	_, err := kv.ReadTransact(ctx, db, func(r kv.Reader) (struct{}, error) {
		for _, key := range []string{"empty", "absent"} {
			value, err := r.Get([]byte(key)).Wait()
			if err != nil {
				return struct{}{}, err
			}
			fmt.Println(key, value != nil)
		}
		return struct{}{}, nil
	})
	fmt.Println(err)
	// Output:
	// empty true
	// absent false
	// <nil>
}

// Count without conflicts, however many do it at once.
func ExampleTransaction_Add() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()

	one := binary.LittleEndian.AppendUint64(nil, 1)
	for range 3 {
		kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
			tx.Add([]byte("visits"), one)
			return struct{}{}, nil
		})
	}
	visits, err := kv.ReadTransact(ctx, db, func(r kv.Reader) ([]byte, error) {
		return r.Get([]byte("visits")).Wait()
	})
	fmt.Println(binary.LittleEndian.Uint64(visits), err)
	// Output: 3 <nil>
}

// Append to a log whose keys are in the order of the commits. The ten bytes of
// the stamp go where the offset at the end of the key says.
func ExampleTransaction_SetVersionstampedKey() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()

	for _, message := range []string{"first", "second"} {
		kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
			key := append([]byte("log/"), make([]byte, 10)...)
			key = binary.LittleEndian.AppendUint32(key, uint32(len("log/")))
			tx.SetVersionstampedKey(key, []byte(message))
			return struct{}{}, nil
		})
	}
	rows, err := kv.ReadTransact(ctx, db, func(r kv.Reader) ([]kv.KeyValue, error) {
		return r.Range(kv.PrefixRange([]byte("log/")), kv.RangeOptions{Limit: 10}).Slice()
	})
	for _, row := range rows {
		fmt.Println(string(row.Value))
	}
	fmt.Println(err)
	// Output:
	// first
	// second
	// <nil>
}

// Look for the nearest key below another.
func ExampleTransaction_GetKey() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	put(ctx, db, "2026-01-07", "", "2026-02-11", "", "2026-03-02", "")

	latest, err := kv.Transact(ctx, db, func(tx *kv.Transaction) ([]byte, error) {
		return tx.GetKey(kv.LastLessOrEqual([]byte("2026-02-28"))).Wait()
	})
	fmt.Println(string(latest), err)
	// Output: 2026-02-11 <nil>
}

// Wait for a change. The watch is armed by the commit.
func ExampleTransaction_Watch() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	put(ctx, db, "config", "old")

	watch, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (*kv.Watch, error) {
		return tx.Watch([]byte("config")), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	put(ctx, db, "config", "new")
	fmt.Println(watch.Wait(ctx))
	// Output: <nil>
}

// Run a transaction by hand.
func ExampleDatabase_Begin() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()

	tx := db.Begin(ctx, kv.WithRetryLimit(5))
	defer tx.Cancel()
	for {
		tx.Set([]byte("key"), []byte("value"))
		err := tx.Commit()
		if err == nil {
			break
		}
		if err := tx.OnError(err); err != nil {
			log.Fatal(err)
		}
	}
	version, err := tx.CommittedVersion()
	fmt.Println(version > 0, err)
	// Output: true <nil>
}

// Errors are compared with errors.Is, and have FoundationDB's numbers.
func ExampleError() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()

	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		tx.Set([]byte("key"), make([]byte, 100_001))
		return struct{}{}, nil
	})
	var numbered *kv.Error
	fmt.Println(errors.Is(err, kv.ErrValueTooLarge), errors.As(err, &numbered) && numbered.Code == 2103)
	fmt.Println(err)
	// Output:
	// true true
	// value of 100001 bytes for key "key" exceeds the limit of 100000 (value_too_large, 2103)
}

// A cache beside the store drops what it holds once the change is committed: once,
// however often the function ran.
func ExampleTransaction_OnCommit() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	cache := map[string]string{"greeting": "hello"}
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		tx.Set([]byte("greeting"), []byte("good morning"))
		tx.OnCommit(func(kv.Version) { delete(cache, "greeting") })
		return struct{}{}, nil
	})
	fmt.Println(len(cache), err)
	// Output: 0 <nil>
}

// A cache in one process drops what any transaction of the database has changed,
// whoever wrote it.
func ExampleWithCommitHook() {
	ctx := context.Background()
	cache := map[string]string{"greeting": "hello", "farewell": "bye", "name": "Ada"}
	db := openExample(kv.WithCommitHook(func(_ context.Context, e kv.CommitEvent) {
		for _, r := range e.Written() {
			maps.DeleteFunc(cache, func(key, _ string) bool { return r.Contains([]byte(key)) })
		}
	}))
	defer db.Close()
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		tx.ClearRange(kv.KeyRange{Begin: []byte("f"), End: []byte("h")})
		return struct{}{}, nil
	})
	fmt.Println(cache, err)
	// Output: map[name:Ada] <nil>
}

// Statistics are always on, and cheap to look at.
func ExampleDatabase_Stats() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	put(ctx, db, "hello", "world")
	_, err := kv.ReadTransact(ctx, db, func(r kv.Reader) ([]byte, error) { return r.Get([]byte("hello")).Wait() })
	if err != nil {
		log.Fatal(err)
	}
	s := db.Stats()
	fmt.Printf("%d begun: %d committed, %d only read, %d failed; %d bytes read\n",
		s.Started, s.Committed, s.ReadOnly, s.Failed, s.BytesRead)
	// Output: 2 begun: 1 committed, 1 only read, 0 failed; 5 bytes read
}
