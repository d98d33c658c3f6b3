package raftgroup

import (
	"context"
	"fmt"
	"log/slog"
)

// raftLogger passes Raft's messages on to slog. Raft's own Info is chatter on
// elections, which is Debug for everyone else.
type raftLogger struct{ log *slog.Logger }

func (l raftLogger) emit(level slog.Level, text func() string) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, text())
	}
}

func (l raftLogger) plain(level slog.Level, v []any) {
	l.emit(level, func() string { return "raft: " + fmt.Sprint(v...) })
}

func (l raftLogger) formatted(level slog.Level, format string, v []any) {
	l.emit(level, func() string { return "raft: " + fmt.Sprintf(format, v...) })
}

func (l raftLogger) Debug(v ...any)                   { l.plain(slog.LevelDebug, v) }
func (l raftLogger) Debugf(format string, v ...any)   { l.formatted(slog.LevelDebug, format, v) }
func (l raftLogger) Info(v ...any)                    { l.plain(slog.LevelDebug, v) }
func (l raftLogger) Infof(format string, v ...any)    { l.formatted(slog.LevelDebug, format, v) }
func (l raftLogger) Warning(v ...any)                 { l.plain(slog.LevelWarn, v) }
func (l raftLogger) Warningf(format string, v ...any) { l.formatted(slog.LevelWarn, format, v) }
func (l raftLogger) Error(v ...any)                   { l.plain(slog.LevelError, v) }
func (l raftLogger) Errorf(format string, v ...any)   { l.formatted(slog.LevelError, format, v) }

// Fatal and Panic mean that Raft found its own state broken: going on could
// lose data. None of them returns to Raft; the group recovers, and its replica
// ends. See broken.
func (l raftLogger) Fatal(v ...any)                 { panic(&broken{fmt.Sprint(v...)}) }
func (l raftLogger) Fatalf(format string, v ...any) { panic(&broken{fmt.Sprintf(format, v...)}) }
func (l raftLogger) Panic(v ...any)                 { panic(&broken{fmt.Sprint(v...)}) }
func (l raftLogger) Panicf(format string, v ...any) { panic(&broken{fmt.Sprintf(format, v...)}) }
