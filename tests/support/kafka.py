"""A Kafka broker with a listener for each way to log in. Its certificate is self-signed."""

import asyncio
import os
import subprocess
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.brokers import ROOT, Broker, free_port, make_certificates, missing, program

KAFKA_HOME = Path(os.environ.get("KAFKA_HOME") or ROOT / ".brokers/kafka-4.1.0")
USER, PASSWORD = "u", "geheim"
PROTOCOLS = {
    "PLAIN": "PLAINTEXT",
    "LOGIN": "SASL_PLAINTEXT",
    "SECURE": "SSL",
    "MUTUAL": "SSL",  # asks for the client's certificate
    "BOTH": "SASL_SSL",
}
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
MODULES = "org.apache.kafka.common.security"


class KafkaBroker(Broker):
    """A Kafka broker. Its `port` is that of the listener without login and TLS."""

    ports: dict[str, int]  # of each listener
    certificate: Path
    key: Path


def kafka_broker(folder: Path) -> KafkaBroker:
    """Prepare a broker and controller in one process, which creates topics with 4 partitions."""
    if not (KAFKA_HOME / "complete").exists():
        missing("Kafka")
    ports = {name: free_port() for name in (*PROTOCOLS, "CONTROLLER")}
    certificate, key = make_certificates(folder)
    keys = folder / "keys.pem"
    keys.write_text(key.read_text() + certificate.read_text())
    settings = folder / "kafka.properties"
    lines = [*cluster_lines(folder, ports), *login_lines()]
    lines += [
        "ssl.keystore.type=PEM",
        f"ssl.keystore.location={keys}",
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={certificate}",
        "listener.name.mutual.ssl.client.auth=required",
        "",
    ]
    settings.write_text("\n".join(lines))
    java = [program("java"), "-Xmx400m", "-cp", f"{KAFKA_HOME}/libs/*"]
    words = [*java, "kafka.tools.StorageTool", "format", "-c", str(settings)]
    words += ["-t", "4L6g3nShT-eMCtK--X86sw"]
    for mechanism in MECHANISMS[1:]:
        words += ["--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]"]
    subprocess.run(words, check=True, capture_output=True)
    broker = KafkaBroker([*java, "kafka.Kafka", str(settings)], folder, port=ports["PLAIN"])
    broker.ports, broker.certificate, broker.key = ports, certificate, key
    return broker


async def make_topic(broker: Broker, topic: NewTopic) -> None:
    """Create a topic and wait until all of its partitions exist."""
    async with asyncio.timeout(60):
        admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{broker.port}")
        await admin.start()
        try:
            await admin.create_topics([topic])
            count = 0
            while count < topic.num_partitions:
                await asyncio.sleep(0.1)
                count = len((await admin.describe_topics([topic.name]))[0]["partitions"])
        finally:
            await admin.close()


def cluster_lines(folder: Path, ports: dict[str, int]) -> list[str]:
    """Return the settings of the listeners and of a cluster with one node."""
    addresses = {name: f"{name}://127.0.0.1:{port}" for name, port in ports.items()}
    protocols = {**PROTOCOLS, "CONTROLLER": "PLAINTEXT"}
    advertised = ",".join(addresses[name] for name in PROTOCOLS)
    return [
        "process.roles=broker,controller",
        "node.id=1",
        f"controller.quorum.voters=1@127.0.0.1:{ports['CONTROLLER']}",
        f"listeners={','.join(addresses.values())}",
        f"advertised.listeners={advertised}",
        "controller.listener.names=CONTROLLER",
        "inter.broker.listener.name=PLAIN",
        "listener.security.protocol.map="
        + ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        f"log.dirs={folder}/data",
        "num.partitions=4",
        "offsets.topic.replication.factor=1",
        "offsets.topic.num.partitions=1",
        "group.initial.rebalance.delay.ms=0",
        "transaction.state.log.replication.factor=1",
        "transaction.state.log.min.isr=1",
    ]


def login_lines() -> list[str]:
    """Return the settings of one user, for each mechanism."""
    lines = [f"sasl.enabled.mechanisms={','.join(MECHANISMS)}"]
    user = f'username="{USER}" password="{PASSWORD}" user_{USER}="{PASSWORD}"'
    for listener in ("login", "both"):
        name = f"listener.name.{listener}"
        lines += [
            f"{name}.plain.sasl.jaas.config={MODULES}.plain.PlainLoginModule required {user};",
            f"{name}.scram-sha-256.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;",
            f"{name}.scram-sha-512.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;",
        ]
    return lines
