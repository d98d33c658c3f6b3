package shell

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// lockedError says that the database is locked. It is not retryable: a person
// wants to know it, and not to wait for the end of the lock.
type lockedError struct{ text string }

func (e *lockedError) Error() string { return e.text }

// notLocked makes an error of a locked database one that is not retryable.
func notLocked(err error) error {
	if !errors.Is(err, kv.ErrDatabaseLocked) {
		return err
	}
	return &lockedError{fmt.Sprintf("%s; `option on lock_aware' works all the same, `unlock' takes the lock away", errorText(kv.ErrDatabaseLocked))}
}

// lock locks the database under a random id.
func (s *Session) lock(ctx context.Context, _ [][]byte) (reply, error) {
	if err := s.mayWriteAlone("lock"); err != nil {
		return reply{}, err
	}
	var id kv.LockID
	rand.Read(id[:]) // It never fails.
	if err := kv.LockDatabase(ctx, s.db, id); err != nil {
		return reply{}, notLocked(err)
	}
	text := hex.EncodeToString(id[:])
	return reply{fmt.Sprintf("Locked with the id %s\n", text), fields{{"lock_id", text}}}, nil
}

func (s *Session) unlock(ctx context.Context, args [][]byte) (reply, error) {
	if err := s.mayWriteAlone("unlock"); err != nil {
		return reply{}, err
	}
	var id kv.LockID
	if n, err := hex.Decode(id[:], args[0][:min(len(args[0]), 2*len(id))]); err != nil || n != len(id) || len(args[0]) != 2*len(id) {
		return reply{}, &misuse{fmt.Sprintf("bad id `%s': it must have %d hexadecimal digits, as lock has printed it", tuple.Printable(args[0]), 2*len(id))}
	}
	err := kv.UnlockDatabase(ctx, s.db, id)
	if errors.Is(err, kv.ErrDatabaseLocked) {
		return reply{}, &lockedError{errorText(err)} // It names both ids.
	}
	return reply{text: "Unlocked\n"}, err
}

// mayWriteAlone refuses a command that writes in a transaction of its own.
func (s *Session) mayWriteAlone(name string) error {
	switch {
	case s.tx != nil:
		return &misuse{name + " cannot be used in a transaction"}
	case s.readOnly:
		return &misuse{"writemode must be enabled to lock or unlock the database."}
	}
	return nil
}
