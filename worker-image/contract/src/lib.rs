//! What the programs of a job say to each other: RunConfig and the gRPC services of shoprl.v1.
