// Package fakestore is a back-end of kv.Database for tests of the tools: a few
// rows in memory, every version kept, and a hook that makes calls fail where a
// test wants it.
//
//	store := fakestore.New()
//	db := kv.NewDatabase(store)
package fakestore
