//! The roles of a job: simulator, rollout, reward and trainer.
