// Package typed stores Go values under Go keys: maps whose types the compiler
// checks, secondary indexes that stay in step with them, and counters.
//
//	type UserID int64
//
//	users := typed.NewMap(subspace.Sub("users"), typed.IntKey[UserID](), typed.JSON[User]())
//	byCity := typed.NewIndex(users, subspace.Sub("users by city"), typed.StringKey[string](),
//		func(_ UserID, u User) string { return u.City })
//
//	err := users.Set(tx, 7, User{Name: "Ada", City: "London"})
//	user, found, err := users.Get(tx, 7).Wait()
//	for row, err := range users.Range(tx, typed.From[UserID](5).Through(9), kv.RangeOptions{}) { … }
//	for row, err := range byCity.Rows(tx, typed.Only("London"), kv.RangeOptions{}) { … }
//
// A Map is a description, not a handle: it holds no data and no transaction,
// costs nothing to make, and may be used by many goroutines. Declare it with
// its indexes once, next to the types that it stores.
//
// Everything that reads takes a kv.Reader, so the same function serves a
// transaction, its snapshot and kv.ReadTransact. Reads are those of package kv:
// they may be issued first and waited for later, and they conflict, or not, as
// the reader says.
//
// # Keys
//
// A KeyCodec turns a key into elements of a tuple (package kv/tuple), so rows
// sort as their keys do and other programs, also those of FoundationDB's
// bindings, can read them: the key of a row is space.Pack(elements of the key).
// Composite keys come from structs, by StructKey, or from PairKey; they allow
// scans over all keys with the same first elements, by Prefix.
//
// # Values
//
// A Codec turns a value into bytes: JSON, Binary (encoding.BinaryMarshaler),
// String, Bytes, Int64, TupleValue, None, or your own by CodecOf.
//
// # Indexes
//
// NewIndex, NewUniqueIndex and NewMultiIndex add an index to a map. From then
// on Set, Update and Delete of the map keep it in step, in the same transaction,
// for which they read the old row. An index that is added to a map which has
// rows is filled with Fill. Programs that do not know an index must not write to
// its map.
//
// # Costs
//
// No reflection is used but what encoding/json does. Without indexes, Set reads
// nothing, and neither Set nor Get allocate more than package kv and the codec
// do (see the benchmarks: none for an integer key and a string).
//
// # Invariants
//
//	D1  Rows sort as the tuples of their keys, which is the natural order of
//	    every key codec of this package.
//	D2  A row that cannot be decoded gives a *DecodeError that names its key.
//	    Nothing that a scan passes over is left out silently.
//	D3  After every transaction that used the map's methods, each index holds
//	    exactly the entries that its function gives for the rows.
//	D4  A Set, Update or Delete that returns an error has written nothing.
//	D5  Two rows never have the same key in a unique index.
//	D6  Pages that follow one another by their continuations show each row once
//	    and in order, whatever their limits, if nobody writes in between. A row
//	    that nobody touches is shown once in any case.
package typed
