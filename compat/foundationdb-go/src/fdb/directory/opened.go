package directory

import (
	"strings"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/apple/foundationdb/bindings/go/src/fdb/subspace"
	"github.com/apple/foundationdb/bindings/go/src/fdb/tuple"

	kvdirectory "github.com/plinthdb/plinth/kv/directory"
)

// opened returns a directory of kv/directory as one of this package.
func opened(d *kvdirectory.DirectorySubspace) DirectorySubspace {
	if d.IsPartition() {
		return partition{place{d}}
	}
	return content{subspace.FromBytes(d.Bytes()), place{d}}
}

// content is a directory with content.
type content struct {
	subspace.Subspace
	place
}

// String returns path and prefix for people to read, in the words of
// FoundationDB's binding, as programs compare it.
func (c content) String() string {
	return "DirectorySubspace((" + strings.Join(c.GetPath(), ",") + "), " + fdb.Printable(c.Bytes()) + ")"
}

// partition is the root of a partition. As a subspace it only panics.
type partition struct{ place }

// refuse says that what was asked for needs content.
func (p partition) refuse(what string) {
	panic(what + " at the root of a directory partition: it has no content; create a directory in it")
}

// String returns path and prefix for people to read.
func (p partition) String() string { return p.of.(*kvdirectory.DirectorySubspace).String() }

// Sub panics.
func (p partition) Sub(el ...tuple.TupleElement) subspace.Subspace {
	p.refuse("cannot make a subspace")
	return nil
}

// Bytes panics.
func (p partition) Bytes() []byte {
	p.refuse("cannot get the prefix")
	return nil
}

// Pack panics.
func (p partition) Pack(t tuple.Tuple) fdb.Key {
	p.refuse("cannot pack keys")
	return nil
}

// PackWithVersionstamp panics.
func (p partition) PackWithVersionstamp(t tuple.Tuple) (fdb.Key, error) {
	p.refuse("cannot pack keys")
	return nil, nil
}

// Unpack panics.
func (p partition) Unpack(k fdb.KeyConvertible) (tuple.Tuple, error) {
	p.refuse("cannot unpack keys")
	return nil, nil
}

// Contains panics.
func (p partition) Contains(k fdb.KeyConvertible) bool {
	p.refuse("cannot look for keys")
	return false
}

// FDBKey panics.
func (p partition) FDBKey() fdb.Key {
	p.refuse("cannot get a key")
	return nil
}

// FDBRangeKeys panics.
func (p partition) FDBRangeKeys() (fdb.KeyConvertible, fdb.KeyConvertible) {
	p.refuse("cannot get a range")
	return nil, nil
}

// FDBRangeKeySelectors panics.
func (p partition) FDBRangeKeySelectors() (fdb.Selectable, fdb.Selectable) {
	p.refuse("cannot get a range")
	return nil, nil
}
