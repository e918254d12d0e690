// go-redis: a client with its pool, Pipelined, TxPipelined, Script and PubSub.
package main

import (
	"context"

	"github.com/redis/go-redis/v9"

	"tile38py/clients/steps"
)

func storeAndSearch(ctx context.Context, client *redis.Client) {
	set, err := client.Do(ctx, "SET", "fleet", "truck", "POINT", 33.5, -112.2).Text()
	steps.Expect(err, set, "OK")
	point, err := client.Do(ctx, "GET", "fleet", "truck", "POINT").StringSlice()
	steps.Expect(err, point, []string{"33.5", "-112.2"})
	steps.Ok("set")
	near, err := client.Do(ctx, "NEARBY", "fleet", "LIMIT", 5, "IDS", "POINT", 33.5, -112).Slice()
	steps.Expect(err, near, []any{int64(0), []any{"truck"}})
	steps.Ok("nearby")
	replies, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for number := range 100 {
			pipe.Do(ctx, "SET", "many", number, "POINT", number%90, 2)
		}
		return nil
	})
	steps.Expect(err, len(replies), 100)
	steps.Ok("pipeline")
	replies, err = client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Do(ctx, "SET", "fleet", "bus", "POINT", 1, 2)
		pipe.Do(ctx, "SCAN", "fleet", "COUNT")
		return nil
	})
	steps.Check(err)
	count, err := replies[1].(*redis.Cmd).Int()
	steps.Expect(err, count, 2)
	steps.Ok("transaction")
	script := redis.NewScript(steps.Script)
	for range 2 {
		point, err := script.Run(ctx, client, []string{"fleet"}, "bus").StringSlice()
		steps.Expect(err, point, []string{"1", "2"})
	}
	steps.Ok("script")
}

func subscribe(ctx context.Context, client *redis.Client) {
	first, second := client.Subscribe(ctx, "news"), client.Subscribe(ctx, "news")
	subscribers := []*redis.PubSub{first, second}
	for _, subscriber := range subscribers {
		message, err := subscriber.Receive(ctx)
		steps.Check(err)
		steps.Expect(err, message.(*redis.Subscription).Kind, "subscribe")
		steps.Check(subscriber.Ping(ctx, "there"))
		message, err = subscriber.Receive(ctx)
		steps.Expect(err, message.(*redis.Pong).Payload, "there")
	}
	receivers, err := client.Publish(ctx, "news", "hello").Result()
	steps.Expect(err, receivers, int64(2))
	for _, subscriber := range subscribers {
		message, err := subscriber.ReceiveMessage(ctx)
		steps.Check(err)
		steps.Expect(err, message.Payload, "hello")
	}
	steps.Ok("subscribe")
	for _, subscriber := range subscribers {
		steps.Check(subscriber.Unsubscribe(ctx))
		message, err := subscriber.Receive(ctx)
		steps.Expect(err, message.(*redis.Subscription).Count, 0)
		// go-redis has no ordinary commands on a subscriber's connection: it subscribes again.
		steps.Check(subscriber.Subscribe(ctx, "others"))
		message, err = subscriber.Receive(ctx)
		steps.Expect(err, message.(*redis.Subscription).Count, 1)
		steps.Check(subscriber.Close())
	}
	place, err := client.Do(ctx, "GET", "fleet", "bus", "POINT").StringSlice()
	steps.Expect(err, place, []string{"1", "2"})
	steps.Ok("reuse")
}

func main() {
	ctx := context.Background()
	client := redis.NewClient(&redis.Options{
		Addr:      steps.Address,
		Username:  steps.User,
		Password:  steps.Password,
		TLSConfig: steps.TLS(),
	})
	defer client.Close()
	pong, err := client.Ping(ctx).Result()
	steps.Expect(err, pong, "PONG")
	steps.Ok("connect")
	storeAndSearch(ctx, client)
	subscribe(ctx, client)
	steps.WaitForRestart()
	place, err := client.Do(ctx, "GET", "fleet", "bus", "POINT").StringSlice()
	steps.Expect(err, place, []string{"1", "2"})
	steps.Ok("restart")
}
