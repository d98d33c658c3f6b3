package typed_test

import (
	"context"
	"fmt"
	"iter"
	"log"
	"slices"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/typed"
)

// openExample stands for the package that provides a store, such as
// kv/embedded.
func openExample() *kv.Database { return kv.NewDatabase(model.New()) }

// Users by number, with an index of their cities.
func Example() {
	type UserID int64
	type User struct{ Name, City string }
	users := typed.NewMap(subspace.Sub("users"), typed.IntKey[UserID](), typed.JSON[User]())
	byCity := typed.NewIndex(users, subspace.Sub("users by city"), typed.StringKey[string](),
		func(_ UserID, u User) string { return u.City })

	db := openExample()
	defer db.Close()
	names, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (names []string, err error) {
		for id, user := range []User{{"Ada", "London"}, {"Emmy", "Erlangen"}, {"Alan", "London"}} {
			if err := users.Set(tx, UserID(id), user); err != nil {
				return nil, err
			}
		}
		for row, err := range byCity.Rows(tx, typed.Only("London"), kv.RangeOptions{}) {
			if err != nil {
				return nil, err
			}
			names = append(names, row.Value.Name)
		}
		return names, nil
	})
	fmt.Println(names, err)
	// Output: [Ada Alan] <nil>
}

// Keys made of structs sort by their fields; all orders of one customer lie
// next to one another.
func ExampleStructKey() {
	type OrderKey struct {
		Customer string
		Number   int
	}
	orders := typed.NewMap(subspace.Sub("orders"), typed.StructKey(
		typed.Field(typed.StringKey[string](), func(k *OrderKey) *string { return &k.Customer }),
		typed.Field(typed.IntKey[int](), func(k *OrderKey) *int { return &k.Number }),
	), typed.String[string]())

	db := openExample()
	defer db.Close()
	_, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (struct{}, error) {
		for _, key := range []OrderKey{{"bo", 1}, {"ada", 10}, {"ada", 9}, {"ada", 1}} {
			if err := orders.Set(tx, key, "tea"); err != nil {
				return struct{}{}, err
			}
		}
		span := typed.Prefix(OrderKey{Customer: "ada"}, 1).From(OrderKey{"ada", 5})
		for row, err := range orders.Range(tx, span, kv.RangeOptions{}) {
			if err != nil {
				return struct{}{}, err
			}
			fmt.Println(row.Key, row.Value)
		}
		return struct{}{}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// {ada 9} tea
	// {ada 10} tea
}

// A page at a time, each in a transaction of its own. The continuation is text
// that a web client can send back.
func ExampleMap_Page() {
	fruit := typed.NewMap(subspace.Sub("fruit"), typed.StringKey[string](), typed.None())
	db := openExample()
	defer db.Close()
	ctx := context.Background()
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		for _, name := range []string{"plum", "apple", "fig", "lemon", "pear"} {
			if err := fruit.Set(tx, name, struct{}{}); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	for after := ""; err == nil; {
		var page typed.Page[string, struct{}]
		page, err = kv.ReadTransact(ctx, db, func(r kv.Reader) (typed.Page[string, struct{}], error) {
			return fruit.Page(r, typed.All[string](), typed.PageOptions{Limit: 2, After: after})
		})
		for _, row := range page.Rows {
			fmt.Print(row.Key, " ")
		}
		fmt.Println("|")
		if after = page.Next; after == "" {
			break
		}
	}
	// Output:
	// apple fig |
	// lemon pear |
	// plum |
}

// Rows may have any number of entries in an index.
func ExampleNewMultiIndex() {
	type Post struct {
		Title string
		Tags  []string
	}
	posts := typed.NewMap(subspace.Sub("posts"), typed.IntKey[int](), typed.JSON[Post]())
	byTag := typed.NewMultiIndex(posts, subspace.Sub("posts by tag"), typed.StringKey[string](),
		func(_ int, p Post) iter.Seq[string] { return slices.Values(p.Tags) })

	db := openExample()
	defer db.Close()
	_, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (struct{}, error) {
		if err := posts.Set(tx, 1, Post{"Keys", []string{"go", "tuples"}}); err != nil {
			return struct{}{}, err
		}
		if err := posts.Set(tx, 2, Post{"Maps", []string{"go"}}); err != nil {
			return struct{}{}, err
		}
		for entry, err := range byTag.Range(tx, typed.All[string](), kv.RangeOptions{}) {
			if err != nil {
				return struct{}{}, err
			}
			fmt.Println(entry.Index, entry.Key)
		}
		return struct{}{}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// go 1
	// go 2
	// tuples 1
}

// Many transactions can count at once.
func ExampleCounters() {
	visits := typed.NewCounters(subspace.Sub("visits"), typed.StringKey[string]())
	db := openExample()
	defer db.Close()
	n, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (int64, error) {
		for range 3 {
			if err := visits.Add(tx, "/index.html", 1); err != nil {
				return 0, err
			}
		}
		n, _, err := visits.Get(tx, "/index.html").Wait()
		return n, err
	})
	fmt.Println(n, err)
	// Output: 3 <nil>
}
