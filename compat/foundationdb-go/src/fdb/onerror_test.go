package fdb

import (
	"testing"
	"testing/synctest"
)

// OnError did nothing before somebody waited for it, so what a failed try had
// written could be committed with the next one.
func TestOnErrorBeginsByItself(t *testing.T) {
	for _, version := range []int{200, 600, 730} {
		for _, code := range []int{1020, 2000} {
			synctest.Test(t, func(t *testing.T) {
				tr := atVersion(withoutStore(t), version)
				defer tr.Cancel()
				tr.Set(Key("of the failed try"), nil)
				tr.OnError(Error{code})
				synctest.Wait()
				size, err := tr.GetApproximateSize().Get()
				if ended := code == 2000 && version >= 610; !ended && (size != 0 || err != nil) {
					t.Errorf("%d: after %d %d bytes are left, %v", version, code, size, err)
				} else if err := tr.Commit().Get(); (err == error(Error{1025})) != ended {
					t.Errorf("%d: after %d: %v", version, code, err)
				}
			})
		}
	}
}
