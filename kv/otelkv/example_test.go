package otelkv_test

import (
	"context"
	"fmt"
	"log"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
	"github.com/plinthdb/plinth/kv/otelkv"
)

// A program gives its provider, which knows where spans go; here they stay in
// memory.
func ExampleNewTracer() {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	db, store, err := embedded.Open("orders", embedded.InMemory(),
		embedded.WithDatabaseOptions(kv.WithTracer(otelkv.NewTracer(provider))))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	_, err = kv.Transact(context.Background(), db, func(tx *kv.Transaction) ([]byte, error) {
		tx.Set([]byte("hello"), []byte("world"))
		return tx.Get([]byte("other")).Wait()
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, span := range exporter.GetSpans() {
		fmt.Println(span.Name)
	}
	// Output:
	// plinth.read_version
	// plinth.get
	// plinth.commit
	// plinth.transaction
}
