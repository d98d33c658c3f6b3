package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// storeFlags say which store a command works on.
type storeFlags struct {
	dir    string
	memory bool
	// mustExist refuses a directory without a store, instead of making one.
	mustExist bool
}

// addDir adds --dir, which must be given.
func (f *storeFlags) addDir(cmd *cobra.Command) {
	f.add(cmd)
	cmd.MarkFlagsOneRequired("dir")
}

// addDirOrMemory adds --dir and --memory, one of which must be given.
func (f *storeFlags) addDirOrMemory(cmd *cobra.Command) {
	f.add(cmd)
	cmd.Flags().BoolVar(&f.memory, "memory", false, "work on an empty store in memory, which is gone at the end")
	cmd.MarkFlagsMutuallyExclusive("dir", "memory")
	cmd.MarkFlagsOneRequired("dir", "memory")
}

func (f *storeFlags) add(cmd *cobra.Command) {
	addDirectory(cmd, &f.dir, "dir", "d", "", "data `directory` of the store")
}

// with opens the store, calls do, and closes the store. The error that ended
// the store early, such as a full disk, is joined to that of do, unless that
// says it already.
func (f *storeFlags) with(env *environment, cmd *cobra.Command, do func(*kv.Database, *embedded.Store) error) error {
	options := []embedded.Option{embedded.WithLogger(env.logger), embedded.WithDatabaseOptions(kv.WithLogger(env.logger))}
	if f.memory {
		options = append(options, embedded.InMemory())
	}
	isNew, err := f.isNew()
	if err != nil {
		return err
	}
	db, store, err := embedded.OpenContext(cmd.Context(), f.dir, options...)
	if err != nil {
		return err
	}
	if isNew {
		fmt.Fprintf(cmd.ErrOrStderr(), "plinth: made a new store in %s\n", f.dir)
	}
	err = do(db, store)
	return joinOnce(err, store.Close())
}

// isNew reports whether the store has yet to be made. A typing error in the
// directory's name must not pass unnoticed.
func (f *storeFlags) isNew() (bool, error) {
	if f.memory {
		return false, nil
	}
	exists, err := embedded.Exists(f.dir)
	if err == nil && !exists && f.mustExist {
		err = fmt.Errorf("there is no store in %s", f.dir)
	}
	return !exists, err
}

// joinOnce joins two errors. One whose text is part of the other's is left out.
func joinOnce(err, other error) error {
	if err != nil && other != nil && strings.Contains(err.Error(), other.Error()) {
		return err
	}
	return errors.Join(err, other)
}
