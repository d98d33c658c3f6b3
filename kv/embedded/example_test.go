package embedded_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// Open a store, write to it, and find everything there the next time.
func Example() {
	dir, err := os.MkdirTemp("", "plinth-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	db, store, err := embedded.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	_, err = kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		tx.Set([]byte("greeting"), []byte("hello"))
		return struct{}{}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Close(); err != nil {
		log.Fatal(err)
	}

	db, store, err = embedded.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	value, err := kv.ReadTransact(ctx, db, func(r kv.Reader) ([]byte, error) {
		return r.Get([]byte("greeting")).Wait()
	})
	fmt.Printf("%s %v\n", value, err)
	// Output: hello <nil>
}

// A store in memory is a real store, for tests.
func ExampleInMemory() {
	db, store, err := embedded.Open("any name", embedded.InMemory())
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	count, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (int, error) {
		value, err := tx.Get([]byte("count")).Wait()
		if err != nil {
			return 0, err
		}
		count := len(value) + 1
		tx.Set([]byte("count"), make([]byte, count))
		return count, nil
	})
	fmt.Println(count, err)
	// Output: 1 <nil>
}

// Read all rows whose keys begin with a prefix.
func ExampleOpen_prefix() {
	db, store, err := embedded.Open("any name", embedded.InMemory())
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	ctx := context.Background()

	_, err = kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		for _, key := range []string{"city/Bern", "city/Basel", "river/Aare", "city/Zug"} {
			tx.Set([]byte(key), nil)
		}
		return struct{}{}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	cities, err := kv.ReadTransact(ctx, db, func(r kv.Reader) (cities []string, err error) {
		for row, err := range r.Range(kv.PrefixRange([]byte("city/")), kv.RangeOptions{}).All() {
			if err != nil {
				return nil, err
			}
			cities = append(cities, string(row.Key[len("city/"):]))
		}
		return cities, nil
	})
	fmt.Println(cities, err)
	// Output: [Basel Bern Zug] <nil>
}
