package blob_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/blob"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/subspace"
)

// openExample stands for the package that provides a store, such as
// kv/embedded.
func openExample() *kv.Database { return kv.NewDatabase(model.New()) }

// Store something of any size, and read some of it.
func Example() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	files := blob.New(subspace.Sub("files"))

	book := strings.NewReader(strings.Repeat("All work and no play makes Jack a dull boy.\n", 100_000))
	info, err := files.Put(ctx, db, "book.txt", book)
	if err != nil {
		log.Fatal(err)
	}
	r, err := files.Open(ctx, db, "book.txt")
	if err != nil {
		log.Fatal(err)
	}
	line := make([]byte, 43)
	if _, err := r.ReadAt(line, 44*77_777); err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Size, string(line))
	// Output: 4400000 All work and no play makes Jack a dull boy.
}

// What fits a transaction can be part of one.
func ExampleStore_Set() {
	db := openExample()
	defer db.Close()
	avatars := blob.New(subspace.Sub("avatars"))
	name := subspace.Sub("names").Bytes()

	text, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (string, error) {
		tx.Set(name, []byte("Ada"))
		if err := avatars.Set(tx, "ada", []byte("a picture")); err != nil {
			return "", err
		}
		r, err := avatars.In(tx, "ada")
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(r)
		return string(text), err
	})
	fmt.Println(text, err)
	// Output: a picture <nil>
}

// Write piece by piece. Nobody sees anything before the Commit.
func ExampleStore_Create() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	files := blob.New(subspace.Sub("files"))

	w := files.Create(ctx, db, "numbers.txt", blob.IfAbsent())
	defer w.Close()
	for i := range 3 {
		fmt.Fprintln(w, i)
	}
	info, err := w.Commit()
	fmt.Println(info.Name, info.Size, err)
	// Output: numbers.txt 6 <nil>
}
