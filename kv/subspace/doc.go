// Package subspace gives each part of a program's data a key prefix of its own.
//
// A [Subspace] is a prefix. It packs tuples into keys that begin with that
// prefix and unpacks such keys without it, so that code can use a subspace
// without knowing where in the store it lies:
//
//	users := subspace.Sub("app", "users")
//	key := users.Pack(tuple.Tuple{42, "mail"})
//	t, err := users.Unpack(key) // (42, "mail")
//
// Keys, prefixes and ranges are byte for byte those of FoundationDB's subspace
// layer.
//
// A Subspace is a value: it never changes, may be copied and compared with ==,
// and may be used by many goroutines. Its zero value is all keys.
//
// Invariants:
//
//	S1  s.Sub(a...).Pack(b) is s.Pack(a followed by b).
//	S2  s.Unpack(s.Pack(t)) packs to what t packs to.
//	S3  s.Range() holds every key s.Pack(t) with a t that is not empty;
//	    s.Contains holds for them and for the prefix itself.
package subspace
