package storage_test

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

func TestStatsCountRequestsRowsAndBytes(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, nil)
	l.append(10, set("key", "value"), set("next", "12"), clearKey("z"))
	same(t, get(t, s, 10, "key", "absent"), "value", "<absent>")
	same(t, scan(t, s, wire.GetRangeRequest{Version: 10, End: []byte("z")}), "key=value", "next=12")
	reply, err := s.GetKey(context.Background(), &wire.GetKeyRequest{Version: 10, Selector: wire.FirstGreaterOrEqual([]byte("l"))})
	if err != nil || string(reply.Key) != "next" {
		t.Fatalf("key %q, error %v", reply.Key, err)
	}
	if _, err := s.GetRange(context.Background(), &wire.GetRangeRequest{Begin: []byte("b"), End: []byte("a")}); err == nil {
		t.Error("an inverted range was read")
	}
	got := s.Stats()
	want := storage.Stats{
		Requests: 3, Gets: 2, Rows: 2, Mutations: 3,
		ReadBytes: uint64(len("value" + "keyvalue" + "next12" + "next")), WrittenBytes: uint64(len("keyvalue"+"next12"+"zz") + 1),
	}
	if got.Requests != want.Requests || got.Gets != want.Gets || got.Rows != want.Rows || got.Mutations != want.Mutations ||
		got.ReadBytes != want.ReadBytes || got.WrittenBytes != want.WrittenBytes {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
