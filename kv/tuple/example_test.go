package tuple_test

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/plinthdb/plinth/kv/tuple"
)

func Example() {
	key := tuple.Tuple{"user", 42, "mail"}.Pack()
	fmt.Printf("%q\n", key)

	t, err := tuple.Unpack(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	id, err := tuple.At[int](t, 1)
	fmt.Println(t, id, err)
	// Output:
	// "\x02user\x00\x15*\x02mail\x00"
	// ("user", 42, "mail") 42 <nil>
}

// Packed keys sort as the tuples do, whatever the types of their elements.
func Example_order() {
	tuples := []tuple.Tuple{{"b"}, {"a", 300}, {"a", -2}, {"a", 7}, {nil}, {1.5}, {"a"}}
	slices.SortFunc(tuples, func(a, b tuple.Tuple) int { return bytes.Compare(a.Pack(), b.Pack()) })
	for _, t := range tuples {
		fmt.Println(t)
	}
	// Output:
	// (nil)
	// ("a")
	// ("a", -2)
	// ("a", 7)
	// ("a", 300)
	// ("b")
	// (1.5)
}

func ExampleTuple_Range() {
	orders := tuple.Tuple{"order", 7}.Range()
	for _, t := range []tuple.Tuple{{"order", 7}, {"order", 7, "line", 1}, {"order", 70, "line", 1}} {
		fmt.Println(t, orders.Contains(t.Pack()))
	}
	// Output:
	// ("order", 7) false
	// ("order", 7, "line", 1) true
	// ("order", 70, "line", 1) false
}

func ExampleAt() {
	t := tuple.Tuple{"temperature", 21.5}
	_, err := tuple.At[int](t, 1)
	fmt.Println(err)
	// Output: tuple: element 1 is float64, not int
}

// Keys of one shape can be made without a Tuple, in a buffer that is used
// again and again.
func ExampleAppendString() {
	var buf []byte
	for id := range int64(2) {
		buf = tuple.AppendString(buf[:0], "user")
		buf = tuple.AppendInt(buf, id)
		fmt.Printf("%q\n", buf)
	}
	// Output:
	// "\x02user\x00\x14"
	// "\x02user\x00\x15\x01"
}

// The last four bytes tell the database where to write the stamp.
func ExampleTuple_PackWithVersionstamp() {
	param, err := tuple.Tuple{"log", tuple.IncompleteVersionstamp(0)}.PackWithVersionstamp(nil)
	fmt.Printf("%q %v\n", param, err)
	// Output: "\x02log\x003\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x06\x00\x00\x00" <nil>
}

func ExampleUnpack_error() {
	_, err := tuple.Unpack([]byte("\x15\x01\x02no end"))
	fmt.Println(err)
	// Output: tuple: offset 2, type code 0x02: input ends inside the element
}
