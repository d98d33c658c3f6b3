package directory_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// openExample stands for the package that provides a store, such as
// kv/embedded.
func openExample() *kv.Database { return kv.NewDatabase(model.New()) }

// transact runs a function in a transaction and ends the program if it fails.
func transact[T any](db *kv.Database, f func(tx *kv.Transaction) (T, error)) T {
	result, err := kv.Transact(context.Background(), db, f)
	if err != nil {
		log.Fatal(err)
	}
	return result
}

// Open a directory when the program begins, and use it as a subspace.
func Example() {
	db := openExample()
	defer db.Close()

	users := transact(db, func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
		return directory.Root().CreateOrOpen(tx, []string{"app", "users"}, nil)
	})
	key := users.Pack(tuple.Tuple{42, "mail"})
	transact(db, func(tx *kv.Transaction) (struct{}, error) {
		tx.Set(key, []byte("ada@example.com"))
		return struct{}{}, nil
	})
	t, err := users.Unpack(key)
	fmt.Println(t, err)
	fmt.Println(len(users.Bytes()) <= 2)
	// Output:
	// (42, "mail") <nil>
	// true
}

// Move a directory: its content stays where it is.
func ExampleDirectorySubspace_MoveTo() {
	db := openExample()
	defer db.Close()

	old := transact(db, func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
		return directory.Root().Create(tx, []string{"users"}, nil)
	})
	moved := transact(db, func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
		if _, err := directory.Root().CreateOrOpen(tx, []string{"archive"}, nil); err != nil {
			return nil, err
		}
		return old.MoveTo(tx, []string{"archive", "users of 2025"})
	})
	fmt.Println(moved.Path(), string(moved.Bytes()) == string(old.Bytes()))
	// Output: [archive users of 2025] true
}

// List and look for directories in transactions that only read.
func ExampleDirectory() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	root := directory.Root()
	for _, name := range []string{"plums", "apples", "pears"} {
		transact(db, func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
			return root.Create(tx, []string{"fruit", name}, []byte("basket"))
		})
	}

	names, err := kv.ReadTransact(ctx, db, func(r kv.Reader) ([]string, error) {
		return root.List(r, []string{"fruit"})
	})
	fmt.Println(names, err)
	_, err = kv.ReadTransact(ctx, db, func(r kv.Reader) (*directory.DirectorySubspace, error) {
		return root.Open(r, []string{"fruit", "figs"}, nil)
	})
	fmt.Println(errors.Is(err, directory.ErrNotFound))
	fmt.Println(err)
	// Output:
	// [apples pears plums] <nil>
	// true
	// directory: cannot open ("fruit", "figs"): the directory does not exist; create it first, or use CreateOrOpen
}

// Keep everything of one customer together, below one prefix.
func ExamplePartitionLayer() {
	db := openExample()
	defer db.Close()
	root := directory.Root()

	orders := transact(db, func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
		customer, err := root.CreateOrOpen(tx, []string{"customers", "acme"}, []byte(directory.PartitionLayer))
		if err != nil {
			return nil, err
		}
		return customer.CreateOrOpen(tx, []string{"orders"}, nil)
	})
	fmt.Println(orders.Path())

	customer := transact(db, func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
		return root.Open(tx, []string{"customers", "acme"}, nil)
	})
	_, err := customer.Subspace()
	fmt.Println(err)
	// Output:
	// [customers acme orders]
	// directory: cannot use as a subspace the directory ("customers", "acme"): the root of a partition cannot hold keys; create a directory in it
}

// Keep directories beside data of another kind.
func ExampleNewLayer() {
	db := openExample()
	defer db.Close()

	tree := directory.NewLayer(subspace.Sub("tree", "nodes"), subspace.Sub("tree", "content"))
	jobs := transact(db, func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
		return tree.CreateOrOpen(tx, []string{"jobs"}, nil)
	})
	fmt.Println(subspace.Sub("tree", "content").Contains(jobs.Bytes()))
	// Output: true
}

// Allocate short ids, from many transactions at once.
func ExampleAllocator() {
	db := openExample()
	defer db.Close()

	ids := directory.NewAllocator(subspace.Sub("ids"))
	a := transact(db, ids.Allocate)
	b := transact(db, ids.Allocate)
	fmt.Println(a != b, a < 64, b < 64)
	// Output: true true true
}
