package otelkv_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
	"github.com/plinthdb/plinth/kv/otelkv"
)

// traceOfLines is a handler that does what those do that add the trace to each
// line: it takes it from the context.
type traceOfLines struct {
	mu   sync.Mutex
	seen map[string]trace.TraceID
}

func (h *traceOfLines) Enabled(context.Context, slog.Level) bool { return true }
func (h *traceOfLines) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h *traceOfLines) WithGroup(string) slog.Handler            { return h }

func (h *traceOfLines) Handle(ctx context.Context, r slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen[r.Message] = trace.SpanContextFromContext(ctx).TraceID()
	return nil
}

// Each line of a transaction's log is below the trace of who began it, those of a
// watch that fires long after its end too; and so is the span of the watch.
func TestTheLinesOfALogAreOfTheTraceOfTheirTransaction(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	lines := &traceOfLines{seen: map[string]trace.TraceID{}}
	db, store, err := embedded.Open("test", embedded.InMemory(), embedded.WithDatabaseOptions(
		kv.WithTracer(otelkv.NewTracer(provider)), kv.WithLogger(slog.New(lines))))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ctx, caller := provider.Tracer("test").Start(t.Context(), "caller")
	watch, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (*kv.Watch, error) {
		if _, err := tx.GetKey(kv.LastLessThan([]byte("k"))).Wait(); err != nil {
			return nil, err
		}
		tx.Set([]byte("other"), nil)
		return tx.Watch([]byte("k")), nil
	}, kv.WithDebugID("traced"), kv.WithTransactionLog(true))
	if err != nil {
		t.Fatal(err)
	}
	caller.End()
	if _, err := kv.Transact(t.Context(), db, func(tx *kv.Transaction) (int, error) { tx.Set([]byte("k"), nil); return 0, nil }); err != nil {
		t.Fatal(err)
	}
	if err := watch.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	want := caller.SpanContext().TraceID()
	for _, line := range []string{"read version", "get key", "get", "mutation", "commit", "watch armed", "watch answered", "watch ended"} {
		if lines.seen[line] != want {
			t.Errorf("line %q is of trace %v, want %v", line, lines.seen[line], want)
		}
	}
	spans := spansNamed(exporter.GetSpans(), "plinth.watch")
	if len(spans) != 1 || spans[0].SpanContext.TraceID() != want {
		t.Errorf("watches: %+v", spans)
	}
}
