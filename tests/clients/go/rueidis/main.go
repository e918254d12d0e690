// rueidis with its defaults (client-side caching on): Do, DoMulti, Lua, Dedicate and Receive.
package main

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"tile38py/clients/steps"
)

func get(ctx context.Context, client rueidis.CoreClient, id string) ([]string, error) {
	// rueidis sends a command again after a lost connection only if it is known to be read-only.
	command := client.B().Arbitrary("GET").Keys("fleet").Args(id, "POINT").ReadOnly()
	return client.Do(ctx, command).AsStrSlice()
}

func storeAndSearch(ctx context.Context, client rueidis.Client) {
	set := client.B().Arbitrary("SET").Keys("fleet").Args("truck", "POINT", "33.5", "-112.2").Build()
	steps.Check(client.Do(ctx, set).Error())
	point, err := get(ctx, client, "truck")
	steps.Expect(err, point, []string{"33.5", "-112.2"})
	steps.Ok("set")
	search := client.B().Arbitrary("NEARBY").Keys("fleet").Args("LIMIT", "5", "IDS", "POINT", "33.5", "-112").Build()
	near, err := client.Do(ctx, search).ToArray()
	steps.Check(err)
	ids, err := near[1].AsStrSlice()
	steps.Expect(err, ids, []string{"truck"})
	steps.Ok("nearby")
	commands := make(rueidis.Commands, 0, 100)
	for number := range 100 {
		words := []string{fmt.Sprint(number), "POINT", fmt.Sprint(number % 90), "2"}
		commands = append(commands, client.B().Arbitrary("SET").Keys("many").Args(words...).Build())
	}
	for _, reply := range client.DoMulti(ctx, commands...) {
		steps.Check(reply.Error())
	}
	steps.Ok("pipeline")
	steps.Check(client.Dedicated(func(dedicated rueidis.DedicatedClient) error {
		replies := dedicated.DoMulti(
			ctx,
			dedicated.B().Multi().Build(),
			dedicated.B().Arbitrary("SET").Keys("fleet").Args("bus", "POINT", "1", "2").Build(),
			dedicated.B().Arbitrary("SCAN").Keys("fleet").Args("COUNT").Build(),
			dedicated.B().Exec().Build(),
		)
		executed, err := replies[3].ToArray()
		steps.Check(err)
		count, err := executed[1].AsInt64()
		steps.Expect(err, count, int64(2))
		return nil
	}))
	steps.Ok("transaction")
	script := rueidis.NewLuaScript(steps.Script)
	for range 2 {
		point, err := script.Exec(ctx, client, []string{"fleet"}, []string{"bus"}).AsStrSlice()
		steps.Expect(err, point, []string{"1", "2"})
	}
	steps.Ok("script")
}

func subscribe(ctx context.Context, client rueidis.Client) {
	messages := make(chan string, 2)
	subscribers := make([]rueidis.DedicatedClient, 0, 2)
	for range 2 {
		dedicated, cancel := client.Dedicate()
		defer cancel()
		dedicated.SetPubSubHooks(rueidis.PubSubHooks{
			OnMessage: func(message rueidis.PubSubMessage) { messages <- message.Message },
		})
		steps.Check(dedicated.Do(ctx, dedicated.B().Subscribe().Channel("news").Build()).Error())
		pong, err := dedicated.Do(ctx, dedicated.B().Ping().Message("there").Build()).ToString()
		steps.Expect(err, pong, "there")
		subscribers = append(subscribers, dedicated)
	}
	publish := client.B().Publish().Channel("news").Message("hello").Build()
	receivers, err := client.Do(ctx, publish).AsInt64()
	steps.Expect(err, receivers, int64(2))
	steps.Expect(nil, <-messages, "hello")
	steps.Expect(nil, <-messages, "hello")
	steps.Ok("subscribe")
	for _, dedicated := range subscribers {
		steps.Check(dedicated.Do(ctx, dedicated.B().Unsubscribe().Channel("news").Build()).Error())
		point, err := get(ctx, dedicated, "bus")
		steps.Expect(err, point, []string{"1", "2"})
	}
	steps.Ok("reuse")
}

func main() {
	ctx := context.Background()
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{steps.Address},
		Username:    steps.User,
		Password:    steps.Password,
		TLSConfig:   steps.TLS(),
	})
	steps.Check(err)
	defer client.Close()
	pong, err := client.Do(ctx, client.B().Ping().Build()).ToString()
	steps.Expect(err, pong, "PONG")
	steps.Ok("connect")
	storeAndSearch(ctx, client)
	subscribe(ctx, client)
	steps.WaitForRestart()
	point, err := get(ctx, client, "bus")
	steps.Expect(err, point, []string{"1", "2"})
	steps.Ok("restart")
}
