package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

func storeStatus(t *testing.T, l *Local) wire.StoreStatus {
	s, err := l.StoreStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// commitAt commits a value after a tenth of a second, and returns the version.
func commitAt(t *testing.T, l *Local, key, value string) wire.Version {
	t.Helper()
	<-time.After(100 * time.Millisecond)
	reply, err := l.Commit(t.Context(), setRequest(0, key, value))
	if err != nil {
		t.Fatal(err)
	}
	return reply.Version
}

// canRead reports whether the storage server has a version.
func canRead(t *testing.T, l *Local, v wire.Version) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := l.GetValues(ctx, &wire.GetValuesRequest{Version: v, Keys: [][]byte{[]byte("key")}})
	if err != nil && !errors.Is(err, wire.ErrFutureVersion) && !errors.Is(err, wire.ErrProcessBehind) && ctx.Err() == nil {
		t.Fatal(err)
	}
	return err == nil
}

// While the storage server's disk takes nothing the status says how far it is
// behind, what its window holds, and that this limits the store; and that
// it is over when the disk works again.
func TestTheStatusTellsHowFarAStorageServerIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, disk := openBehind(t, storageDir)
		defer closeStore(t, l)
		defer disk.open()
		commitAt(t, l, "key", "x")
		idle := storeStatus(t, l)
		if idle.LimitedBy != "workload" || idle.LoadThousandths >= wire.BatchLoad {
			t.Errorf("an idle store is limited by %s at a load of %d", idle.LimitedBy, idle.LoadThousandths)
		}
		disk.shut.Store(true)
		value := strings.Repeat("x", wire.MaxValueBytes)
		versions := []wire.Version{commitAt(t, l, "key", value)}
		<-time.After(time.Second)
		for storeStatus(t, l).LimitedBy == "workload" {
			versions = append(versions, commitAt(t, l, "key", value))
			<-time.After(time.Second)
		}
		stuck, first, last := storeStatus(t, l), versions[0], versions[len(versions)-1]
		if stuck.LimitedBy != "storage_server_write_queue_size" && stuck.LimitedBy != "storage_server_readable_behind" || stuck.LoadThousandths < wire.BatchLoad {
			t.Errorf("limited by %s at a load of %d", stuck.LimitedBy, stuck.LoadThousandths)
		}
		if stuck.CommittedVersion != last || stuck.DurableVersion >= first || stuck.ReadableVersion < first {
			t.Errorf("committed %d of %d, readable %d, durable %d, first commit %d", stuck.CommittedVersion, last, stuck.ReadableVersion, stuck.DurableVersion, first)
		}
		if !canRead(t, l, stuck.ReadableVersion) || canRead(t, l, stuck.ReadableVersion+1) {
			t.Errorf("%d is not the newest version that can be read", stuck.ReadableVersion)
		}
		inWindow, oldest := int64(0), l.Status().Storage.OldestReadable
		for _, v := range versions {
			if oldest < v && v <= stuck.ReadableVersion {
				inWindow++
			}
		}
		if held := stuck.StorageQueueBytes / int64(len(value)); held != inWindow || held == 0 {
			t.Errorf("%d bytes in the window, of %d values from %d to %d", stuck.StorageQueueBytes, inWindow, oldest, stuck.ReadableVersion)
		}
		disk.open()
		<-time.After(10 * time.Second)
		last = commitAt(t, l, "after", "x")
		<-time.After(10 * time.Second)
		commitAt(t, l, "after", "x")
		<-time.After(10 * time.Second)
		over := storeStatus(t, l)
		if over.LimitedBy != "workload" || over.LoadThousandths >= wire.BatchLoad || over.StorageQueueBytes >= int64(len(value)) {
			t.Errorf("afterwards limited by %s at a load of %d, with %d bytes in the window", over.LimitedBy, over.LoadThousandths, over.StorageQueueBytes)
		}
		if over.ReadableVersion != over.CommittedVersion || over.DurableVersion < versions[len(versions)-1] || over.DurableVersion > over.ReadableVersion {
			t.Errorf("afterwards committed %d, readable %d, durable %d; last big commit %d, next %d",
				over.CommittedVersion, over.ReadableVersion, over.DurableVersion, versions[len(versions)-1], last)
		}
	})
}

// What waits for the log's disk is in memory only, and in the status.
func TestTheStatusTellsWhatWaitsForTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, disk := openBehind(t, logDir)
		defer closeStore(t, l)
		defer disk.open()
		commitAt(t, l, "key", "x")
		if s := storeStatus(t, l); s.LogQueueBytes != 0 {
			t.Errorf("%d bytes wait in an idle store", s.LogQueueBytes)
		}
		disk.shut.Store(true)
		value := strings.Repeat("x", wire.MaxValueBytes)
		done := make(chan error)
		for range 2 { // the first is being written, the second waits
			go func() {
				_, err := l.Commit(context.Background(), setRequest(0, "key", value))
				done <- err
			}()
			<-time.After(time.Second)
		}
		if s := storeStatus(t, l); s.LogQueueBytes < int64(len(value)) || s.LogQueueBytes > int64(3*len(value)) {
			t.Errorf("%d bytes wait for the log, of two values of %d", s.LogQueueBytes, len(value))
		}
		disk.open()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if s := storeStatus(t, l); s.LogQueueBytes != 0 {
			t.Errorf("%d bytes wait after the writes", s.LogQueueBytes)
		}
	})
}

// The status counts the limits on tags that hold.
func TestTheStatusCountsLimitsOnTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := openBehind(t, storageDir)
		defer closeStore(t, l)
		for i, limit := range []wire.TagThrottle{{Tag: "a"}, {Tag: "b", Until: time.Now().Add(time.Minute)}} {
			row := limit.Row()
			request := setRequest(0, string(row.Key), string(row.Value))
			request.HasSystemKeys = true
			if _, err := l.Commit(t.Context(), request); err != nil {
				t.Fatal(err)
			}
			readVersion(t, l)
			if s := storeStatus(t, l); s.ThrottledTags != i+1 {
				t.Errorf("%d limits after %d were set", s.ThrottledTags, i+1)
			}
		}
		<-time.After(2 * time.Minute)
		readVersion(t, l)
		if s := storeStatus(t, l); s.ThrottledTags != 1 {
			t.Errorf("%d limits when one of two has ended", s.ThrottledTags)
		}
	})
}
