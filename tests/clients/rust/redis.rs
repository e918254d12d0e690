//! redis-rs: a connection manager, pipelines, `Script`, and subscriptions as RESP3's pushes.

mod steps;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, PushInfo, PushKind, RedisResult, Script, Value, cmd, pipe};
use steps::ok;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

type Point = (f64, f64);

async fn get(connection: &mut ConnectionManager, id: &str) -> RedisResult<Point> {
    cmd("GET").arg("fleet").arg(id).arg("POINT").query_async(connection).await
}

async fn store_and_search(connection: &mut ConnectionManager) -> RedisResult<()> {
    let mut set = cmd("SET");
    set.arg("fleet").arg("truck").arg("POINT").arg(33.5).arg(-112.2);
    assert_eq!(set.query_async::<String>(connection).await?, "OK");
    assert_eq!(get(connection, "truck").await?, (33.5, -112.2));
    ok("set");
    let mut search = cmd("NEARBY");
    search.arg("fleet").arg("LIMIT").arg(5).arg("IDS").arg("POINT").arg(33.5).arg(-112);
    let near: (i64, Vec<String>) = search.query_async(connection).await?;
    assert_eq!(near, (0, vec!["truck".to_owned()]));
    ok("nearby");
    let mut pipeline = pipe();
    for number in 0..100 {
        pipeline.cmd("SET").arg("many").arg(number).arg("POINT").arg(number % 90).arg(2);
    }
    let replies: Vec<String> = pipeline.query_async(connection).await?;
    assert_eq!(replies, vec!["OK"; 100]);
    ok("pipeline");
    let mut transaction = pipe();
    transaction.atomic();
    transaction.cmd("SET").arg("fleet").arg("bus").arg("POINT").arg(1).arg(2);
    transaction.cmd("GET").arg("fleet").arg("bus").arg("POINT");
    let executed: (String, Point) = transaction.query_async(connection).await?;
    assert_eq!(executed, ("OK".to_owned(), (1.0, 2.0)));
    ok("transaction");
    let script = Script::new(steps::SCRIPT);
    for _ in 0..2 {
        let place: Point = script.key("fleet").arg("bus").invoke_async(connection).await?;
        assert_eq!(place, (1.0, 2.0));
    }
    ok("script");
    Ok(())
}

/// Returns the text of the next message.
async fn next_message(pushes: &mut UnboundedReceiver<PushInfo>) -> Value {
    loop {
        let push = timeout(steps::TIME_MAX, pushes.recv()).await.unwrap().unwrap();
        if push.kind == PushKind::Message {
            return push.data[1].clone();
        }
    }
}

async fn subscribe(publisher: &mut ConnectionManager) -> RedisResult<()> {
    let client = Client::open(format!("{}/?protocol=resp3", steps::url()))?;
    let mut subscribers = Vec::new();
    for _ in 0..2 {
        let (sender, pushes) = unbounded_channel();
        let settings = ConnectionManagerConfig::new().set_push_sender(sender);
        let mut connection = client.get_connection_manager_with_config(settings).await?;
        connection.subscribe("news").await?;
        let pong: String = cmd("PING").arg("there").query_async(&mut connection).await?;
        assert_eq!(pong, "there");
        subscribers.push((connection, pushes));
    }
    let mut publish = cmd("PUBLISH");
    publish.arg("news").arg("hello");
    assert_eq!(publish.query_async::<i64>(publisher).await?, 2);
    for (_, pushes) in &mut subscribers {
        assert_eq!(next_message(pushes).await, Value::BulkString(b"hello".to_vec()));
    }
    ok("subscribe");
    for (connection, _) in &mut subscribers {
        connection.unsubscribe("news").await?;
        assert_eq!(get(connection, "bus").await?, (1.0, 2.0));
    }
    ok("reuse");
    Ok(())
}

/// Also takes the step of subscribers under RESP2, which have connections of their own.
async fn ping_under_resp2(client: &Client) -> RedisResult<()> {
    let mut subscriber = client.get_async_pubsub().await?;
    subscriber.subscribe("news").await?;
    let pong: (String, String) = subscriber.ping_message("there").await?;
    assert_eq!(pong, ("pong".to_owned(), "there".to_owned()));
    subscriber.unsubscribe("news").await
}

#[tokio::main]
async fn main() -> RedisResult<()> {
    let client = Client::open(steps::url())?;
    let mut connection = client.get_connection_manager().await?;
    assert_eq!(cmd("PING").query_async::<String>(&mut connection).await?, "PONG");
    ok("connect");
    store_and_search(&mut connection).await?;
    ping_under_resp2(&client).await?;
    subscribe(&mut connection).await?;
    steps::wait_for_restart();
    // The command that meets the lost connection fails, and the manager connects again.
    let _ = get(&mut connection, "bus").await;
    assert_eq!(get(&mut connection, "bus").await?, (1.0, 2.0));
    ok("restart");
    Ok(())
}
