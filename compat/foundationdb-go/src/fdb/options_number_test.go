package fdb_test

import (
	"errors"
	"testing"
	_ "unsafe" // for go:linkname

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// setOption reaches the method as programs do.
//
//go:linkname setOption github.com/apple/foundationdb/bindings/go/src/fdb.TransactionOptions.setOpt
func setOption(o fdb.TransactionOptions, code int, param []byte) error

func TestFirstInBatchIsSetByItsNumber(t *testing.T) {
	tr := begin(t, open(t))
	accept(t, setOption(tr.Options(), 710, nil))
	var number fdb.Error
	if err := setOption(tr.Options(), 711, nil); !errors.As(err, &number) || number.Code != 2007 {
		t.Errorf("another number: %v", err)
	}
	tr.Set(fdb.Key("k"), nil)
	stamp := tr.GetVersionstamp()
	if err := tr.Commit().Get(); err != nil {
		t.Fatal(err)
	}
	if got := stamp.MustGet(); got[8] != 0 || got[9] != 0 {
		t.Errorf("it is at a place after the first: %x", got)
	}
}
