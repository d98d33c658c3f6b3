package fdb_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/apple/foundationdb/bindings/go/src/fdb/directory"
	"github.com/apple/foundationdb/bindings/go/src/fdb/subspace"
	"github.com/apple/foundationdb/bindings/go/src/fdb/tuple"

	"github.com/plinthdb/plinth/kv"
)

// temporary opens a store for an example, and returns what removes it. Programs
// call fdb.MustAPIVersion before.
func temporary() (db fdb.Database, remove func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	db = fdb.MustOpenDatabase("plinth-embedded:" + filepath.Join(dir, "store"))
	return db, func() {
		db.Close()
		os.RemoveAll(dir)
	}
}

func Example() {
	db, remove := temporary()
	defer remove()

	old, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		greeting := tr.Get(fdb.Key("greeting")) // on its way
		tr.Set(fdb.Key("greeting"), []byte("hello"))
		return greeting.MustGet(), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("there was none:", old.([]byte) == nil)
	// Output: there was none: true
}

// A function that takes a Transactor runs in a transaction of its own, or as a
// part of a larger one.
func ExampleTransactor() {
	db, remove := temporary()
	defer remove()

	deposit := func(t fdb.Transactor, account string, amount byte) error {
		_, err := t.Transact(func(tr fdb.Transaction) (interface{}, error) {
			tr.Add(fdb.Key(account), []byte{amount, 0})
			return nil, nil
		})
		return err
	}
	if err := deposit(db, "ann", 10); err != nil {
		log.Fatal(err)
	}
	if _, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		return nil, errors.Join(deposit(tr, "ann", 5), deposit(tr, "bob", 7)) // both or none
	}); err != nil {
		log.Fatal(err)
	}
	for _, account := range []string{"ann", "bob"} {
		balance, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
			return tr.Get(fdb.Key(account)).Get()
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(account, balance.([]byte)[0])
	}
	// Output:
	// ann 15
	// bob 7
}

func ExampleRangeIterator() {
	db, remove := temporary()
	defer remove()

	apples, err := fdb.PrefixRange([]byte("apple/"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		for _, key := range []string{"apple/boskoop", "apple/jonagold", "pear/conference"} {
			tr.Set(fdb.Key(key), nil)
		}
		for it := tr.GetRange(apples, fdb.RangeOptions{Reverse: true}).Iterator(); it.Advance(); {
			row, err := it.Get()
			if err != nil {
				return nil, err
			}
			fmt.Println(row.Key)
		}
		return nil, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// apple/jonagold
	// apple/boskoop
}

// A watch outlives its transaction, and tells of a change.
func ExampleTransaction_Watch() {
	db, remove := temporary()
	defer remove()

	watch, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		return tr.Watch(fdb.Key("door")), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		tr.Set(fdb.Key("door"), []byte("open"))
		return nil, nil
	}); err != nil {
		log.Fatal(err)
	}
	watch.(fdb.FutureNil).MustGet()
	fmt.Println("somebody was at the door")
	// Output: somebody was at the door
}

// A loop of one's own, for what Transact cannot do.
func ExampleTransaction_OnError() {
	db, remove := temporary()
	defer remove()

	tr, err := db.CreateTransaction()
	if err != nil {
		log.Fatal(err)
	}
	for {
		tr.Set(fdb.Key("k"), []byte("v"))
		err := tr.Commit().Get()
		if err == nil {
			break
		}
		var e fdb.Error
		if !errors.As(err, &e) {
			log.Fatal(err)
		}
		if err := tr.OnError(e).Get(); err != nil { // waits, and resets
			log.Fatal(err)
		}
	}
	version, err := tr.GetCommittedVersion()
	fmt.Println(version > 0, err)
	// Output: true <nil>
}

// A queue whose keys are in the order of the commits.
func ExampleTransaction_SetVersionstampedKey() {
	db, remove := temporary()
	defer remove()

	queue := subspace.Sub("queue")
	for _, job := range []string{"first", "second"} {
		if _, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
			key, err := queue.PackWithVersionstamp(tuple.Tuple{tuple.IncompleteVersionstamp(0)})
			if err != nil {
				return nil, err
			}
			tr.SetVersionstampedKey(key, []byte(job))
			return nil, nil
		}); err != nil {
			log.Fatal(err)
		}
	}
	jobs, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		return tr.GetRange(queue, fdb.RangeOptions{}).GetSliceWithError()
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range jobs.([]fdb.KeyValue) {
		fmt.Println(string(row.Value))
	}
	// Output:
	// first
	// second
}

// Directories give each part of a program's data a name and a short prefix.
func Example_directories() {
	db, remove := temporary()
	defer remove()

	users, err := directory.CreateOrOpen(db, []string{"app", "users"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		tr.Set(users.Pack(tuple.Tuple{"ann", "mail"}), []byte("ann@example.com"))
		return nil, nil
	}); err != nil {
		log.Fatal(err)
	}
	rows, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		return tr.GetRange(users.Sub("ann"), fdb.RangeOptions{}).GetSliceOrPanic(), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range rows.([]fdb.KeyValue) {
		key, err := users.Unpack(row.Key)
		fmt.Println(key, string(row.Value), err)
	}
	// Output: ("ann", "mail") ann@example.com <nil>
}

// A program that moves to Plinth's own client can use both in one transaction.
func ExampleKVDatabase() {
	db, remove := temporary()
	defer remove()

	_, err := kv.Transact(context.Background(), fdb.KVDatabase(db), func(tx *kv.Transaction) (struct{}, error) {
		tx.Set([]byte("k"), []byte("from kv"))
		return struct{}{}, nil
	}, kv.WithExactlyOnce(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		return tr.Get(fdb.Key("k")).Get()
	})
	fmt.Println(string(value.([]byte)), err)
	// Output: from kv <nil>
}

func ExampleKVTransaction() {
	db, remove := temporary()
	defer remove()

	value, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		tr.Set(fdb.Key("k"), []byte("v"))
		value, err := fdb.KVTransaction(tr).Get([]byte("k")).Wait()
		return value, fdb.FromKV(err)
	})
	fmt.Println(string(value.([]byte)), err)
	// Output: v <nil>
}
