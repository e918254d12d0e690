//! fred: a client that reconnects, its pipeline, transaction, `Script` and subscribers.

mod steps;

use fred::cmd;
use fred::prelude::*;
#[cfg(feature = "version-9")]
use fred::prelude::{RedisClient as Client, RedisConfig as Config};
#[cfg(feature = "version-9")]
use fred::prelude::{RedisError as Error, RedisValue as Value};
#[cfg(feature = "version-9")]
use fred::types::Script;
#[cfg(not(feature = "version-9"))]
use fred::types::scripts::Script;
use steps::ok;
use tokio::time::timeout;

type Point = (f64, f64);

async fn ping<C: ClientLike>(client: &C) -> Result<Value, Error> {
    #[cfg(feature = "version-9")]
    return client.ping().await;
    #[cfg(not(feature = "version-9"))]
    return client.ping(None).await;
}

async fn get(client: &Client, id: &str) -> Result<Point, Error> {
    client.custom(cmd!("GET"), vec!["fleet", id, "POINT"]).await
}

async fn store_and_search(client: &Client) -> Result<(), Error> {
    let words = vec!["fleet", "truck", "POINT", "33.5", "-112.2"];
    let set: String = client.custom(cmd!("SET"), words).await?;
    assert_eq!(set, "OK");
    assert_eq!(get(client, "truck").await?, (33.5, -112.2));
    ok("set");
    let words = vec!["fleet", "LIMIT", "5", "IDS", "POINT", "33.5", "-112"];
    let near: Value = client.custom(cmd!("NEARBY"), words).await?;
    assert_eq!(near, Value::Array(vec![0.into(), Value::Array(vec!["truck".into()])]));
    ok("nearby");
    let pipeline = client.pipeline();
    for number in 0..100 {
        let (id, latitude) = (number.to_string(), (number % 90).to_string());
        let words = vec!["many", &id, "POINT", &latitude, "2"];
        let _: () = pipeline.custom(cmd!("SET"), words).await?;
    }
    let replies: Vec<String> = pipeline.all().await?;
    assert_eq!(replies, vec!["OK"; 100]);
    ok("pipeline");
    let transaction = client.multi();
    let words = vec!["fleet", "bus", "POINT", "1", "2"];
    let _: () = transaction.custom(cmd!("SET"), words).await?;
    let _: () = transaction.custom(cmd!("GET"), vec!["fleet", "bus", "POINT"]).await?;
    let executed: Vec<Value> = transaction.exec(true).await?;
    assert_eq!(executed, ["OK".into(), Value::Array(vec!["1".into(), "2".into()])]);
    ok("transaction");
    let script = Script::from_lua(steps::SCRIPT);
    for _ in 0..2 {
        let place: Point = script.evalsha_with_reload(client, "fleet", "bus").await?;
        assert_eq!(place, (1.0, 2.0));
    }
    ok("script");
    Ok(())
}

async fn subscribe(builder: &Builder, publisher: &Client) -> Result<(), Error> {
    let subscribers = [builder.build_subscriber_client()?, builder.build_subscriber_client()?];
    let mut streams = Vec::new();
    for subscriber in &subscribers {
        subscriber.init().await?;
        streams.push(subscriber.message_rx());
        subscriber.subscribe("news").await?;
        ping(subscriber).await?;
    }
    assert_eq!(publisher.publish::<i64, _, _>("news", "hello").await?, 2);
    for stream in &mut streams {
        let message = timeout(steps::TIME_MAX, stream.recv()).await.unwrap().unwrap();
        assert_eq!(message.value, "hello".into());
    }
    ok("subscribe");
    for subscriber in &subscribers {
        subscriber.unsubscribe("news").await?;
        let words = vec!["fleet", "bus", "POINT"];
        let place: Point = subscriber.custom(cmd!("GET"), words).await?;
        assert_eq!(place, (1.0, 2.0));
    }
    ok("reuse");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut builder = Builder::from_config(Config::from_url(&steps::url())?);
    builder.set_policy(ReconnectPolicy::new_constant(0, 100));
    let client = builder.build()?;
    client.init().await?;
    assert_eq!(ping(&client).await?, "PONG".into());
    ok("connect");
    store_and_search(&client).await?;
    subscribe(&builder, &client).await?;
    steps::wait_for_restart();
    assert_eq!(get(&client, "bus").await?, (1.0, 2.0));
    ok("restart");
    Ok(())
}
