package fdb

import (
	"errors"
	"net"
	"strings"

	"github.com/plinthdb/plinth/kv"
)

// afterCommit does what an API version does with a transaction behind its
// commit, which ended with err.
func (t *transaction) afterCommit(tx *kv.Transaction, err error) {
	switch {
	case t.version >= versionKeepsReadVersion:
	case t.version >= versionKeepsCommitted:
		t.noteReadVersion(0)
	case err == nil:
		version, err := tx.CommittedVersion()
		if err != nil {
			version = noVersion
		}
		t.reset()
		t.mu.Lock()
		t.mu.committed = int64(version)
		t.mu.Unlock()
	case kv.Retryable(err) || kv.MaybeCommitted(err) || errors.Is(err, kv.ErrTransactionTooLarge):
		t.setAside(tx)
	}
}

// setAside puts a new transaction in place of one whose commit has failed, which
// OnError goes on with.
func (t *transaction) setAside(failed *kv.Transaction) {
	next, _ := t.handle.begin() // the defaults of failed stay t's
	t.mu.Lock()
	if t.mu.failed == nil {
		t.mu.failed, failed = failed, nil
	}
	t.forgetLocked()
	t.mu.Unlock()
	t.tx.Store(next) // C1
	if failed != nil {
		failed.Cancel() // an earlier one is aside already
	}
}

// takeBack puts the transaction that was set aside in its place again.
func (t *transaction) takeBack() {
	t.mu.Lock()
	failed := t.mu.failed
	t.mu.failed = nil
	t.mu.Unlock()
	if failed != nil {
		t.tx.Swap(failed).Cancel()
	}
}

// keepReadVersion notes the read version of tx, if something was read, before it
// is committed: kv does not tell it afterwards.
func (t *transaction) keepReadVersion(tx *kv.Transaction) {
	t.mu.Lock()
	read := t.mu.read
	t.mu.Unlock()
	if !read {
		return
	}
	if version, err := tx.ReadVersion(); err == nil { // it is known already
		t.noteReadVersion(int64(version))
	}
}

func (t *transaction) noteReadVersion(version int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.readVersion = version
}

// versionAfterCommit returns the read version of a transaction for which kv has
// only err: behind a commit the one of before, or a new one under API versions
// that do not keep it.
func (t *transaction) versionAfterCommit(err error) (int64, error) {
	t.mu.Lock()
	kept := t.mu.readVersion
	t.mu.Unlock()
	switch {
	case !errors.Is(err, kv.ErrUsedDuringCommit):
		return 0, err
	case kept != 0:
		return kept, nil
	case t.version >= versionKeepsReadVersion:
		return 0, err
	}
	next, _ := t.handle.begin()
	defer next.Cancel()
	version, err := next.ReadVersion()
	if err == nil {
		t.noteReadVersion(int64(version))
	}
	return int64(version), err
}

// specialPrefix is what all special keys begin with.
const specialPrefix = "\xff\xff"

// hasNot reports whether key is a special one that the API version does not
// have.
func (t *transaction) hasNot(key []byte) bool {
	if t.version >= versionSpecialKeys || !strings.HasPrefix(string(key), specialPrefix) {
		return false
	}
	switch string(key[len(specialPrefix):]) {
	case "/status/json", "/cluster_file_path", "/connection_string":
		return false
	}
	return true
}

// hasNoRange reports whether a bound of a range is among the special keys, and
// the API version has no ranges of those.
func (t *transaction) hasNoRange(bound []byte) bool {
	return t.version < versionSpecialKeys && string(bound) > specialPrefix
}

// shown returns addresses as the API version shows them.
func (t *transaction) shown(addresses []string) []string {
	t.mu.Lock()
	withPorts := t.mu.withPorts
	t.mu.Unlock()
	if withPorts || t.version >= versionPortsInAddresses || t.handle.store.options.withPorts.Load() {
		return addresses
	}
	for i, address := range addresses {
		if host, _, err := net.SplitHostPort(address); err == nil {
			addresses[i] = host
		}
	}
	return addresses
}
