package subspace_test

import (
	"fmt"

	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

func Example() {
	app := subspace.Sub("app")
	users, orders := app.Sub("users"), app.Sub("orders")

	key := users.Pack(tuple.Tuple{42, "mail"})
	fmt.Printf("%q\n", key)
	fmt.Println(app.Contains(key), users.Contains(key), orders.Contains(key))

	t, err := users.Unpack(key)
	fmt.Println(t, err)
	_, err = orders.Unpack(key)
	fmt.Println(err)
	// Output:
	// "\x02app\x00\x02users\x00\x15*\x02mail\x00"
	// true true false
	// (42, "mail") <nil>
	// key is not in the subspace: \x02app\x00\x02users\x00\x15*\x02mail\x00 does not begin with \x02app\x00\x02orders\x00
}

// The range of a subspace holds everything that was packed in it and in the
// subspaces inside it.
func ExampleSubspace_Range() {
	r := subspace.Sub("users", 42).Range()
	fmt.Printf("%q %q\n", r.Begin, r.End)
	// Output: "\x02users\x00\x15*\x00" "\x02users\x00\x15*\xff"
}
