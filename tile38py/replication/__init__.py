"""Replication: the leader streams its log, a follower runs and keeps it.

Leader: leader, log_stream. Follower: follower, follower_session, handshake, leader_connection,
log_comparison, full_copy, stream_buffer, dependencies.
"""
