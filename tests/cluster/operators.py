"""Print the names by which a savepoint finds the job's operators; Flink's own Python runs this.

A name for each operator, as Flink keeps it, beside what it is; with all that a job may write.
"""

from __future__ import annotations

import json

from pyflink.datastream import StreamExecutionEnvironment

from sojourn.runtime.flink.job import build
from sojourn.runtime.flink.settings import JobSettings


def main() -> None:
    """Build the job, and look at what it came to; nothing runs."""
    env = StreamExecutionEnvironment.get_execution_environment()
    build(env, JobSettings(brokers="nobody:9092", entries=True, states=True))
    nodes = env._j_stream_execution_environment.getStreamGraph(False).getStreamNodes().toArray()
    told = {str(node.getTransformationUID()): str(node.getOperatorName()).partition("(")[0] for node in nodes}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
