#!/usr/bin/env bash
# verl's own main_ppo trains a policy of ShopRL in the small shop: on the processor, at a real server on loopback, by the agent
# loop of worker-image/python/examples/verl_agent_loop.py. peers/verl_checks.py says what must hold; a processor as a
# platform and a server of tokens are peers/verl_cpu.py and peers/verl_server.py. Before, peers/verl_release.py looks at sessions.
# usage: verl.sh [STEPS [MODEL [SETTING...]]]; MODEL is a saved folder instead of that of a run of docs/examples/smoke.yaml,
# SETTING is verl's
set -euo pipefail
cd "$(dirname "$0")/../.."
. e2e/packages.sh
. docs/benchmarks/peers/shop.sh
steps=${1:-5} group=8 tasks=4

packages docs/benchmarks/peers/verl.txt
build
scratch
policy_and_shop "${2:-}"

HF_DATASETS_DISABLE_PROGRESS_BARS=1 "$venv/bin/python" worker-image/python/examples/verl_agent_loop.py \
    "$directory/tasks.parquet" --tasks $((steps * tasks)) --scenario singleTurn singleTurnPersona \
    multiTurn multiTurnPersona
serve "[ -s '$directory/small' ]" \
    "$release/shoprl" environment --catalog mini --listen 127.0.0.1:0 --sessions 1 --address-file "$directory/small"
"$venv/bin/python" docs/benchmarks/peers/verl_release.py "$(cat "$directory/small")" "$model"

PYTHONPATH+=:$PWD/docs/benchmarks/peers
export VERL_USE_EXTERNAL_MODULES=verl_cpu,verl_server,verl_checks SHOPRL_ROWS=$directory/rows
# verl knows its engine as one for CUDA; nothing in it is.
export VERL_PLATFORM=cpu VERL_ENGINE_DEVICE=cuda
export RAY_USAGE_STATS_ENABLED=0 HYDRA_FULL_ERROR=1

settings=(
    data.train_files="$directory/tasks.parquet" data.val_files="$directory/tasks.parquet" data.shuffle=False
    data.train_batch_size=$tasks data.max_prompt_length=480 data.max_response_length=480 data.dataloader_num_workers=0
    algorithm.adv_estimator=grpo
    trainer.device=cpu trainer.nnodes=1 trainer.n_gpus_per_node=1 trainer.total_training_steps="$steps"
    trainer.val_before_train=False trainer.resume_mode=disable trainer.logger=[console]
    transfer_queue.backend.SimpleStorage.num_data_storage_units=1 reward.num_workers=1
    ray_kwargs.ray_init.num_cpus=16 +ray_kwargs.ray_init.num_gpus=1
    +ray_kwargs.ray_init.include_dashboard=False +ray_kwargs.ray_init._temp_dir="$directory/ray"
    hydra.run.dir="$directory" hydra.output_subdir=null
)
policy=actor_rollout_ref
settings+=(
    $policy.model.path="$model" $policy.model.use_remove_padding=False $policy.model.enable_gradient_checkpointing=False
    +$policy.model.override_config.attn_implementation=sdpa
    $policy.rollout.name=transformers $policy.rollout.n=$group $policy.rollout.tensor_model_parallel_size=1
    $policy.rollout.free_cache_engine=False $policy.rollout.log_prob_micro_batch_size_per_gpu=$((tasks * group))
    $policy.rollout.agent.num_workers=2 $policy.rollout.agent.default_agent_loop=shoprl
    $policy.rollout.agent.agent_loop_config_path="$PWD/docs/benchmarks/peers/verl_loop.yaml"
    $policy.actor.strategy=fsdp2 $policy.actor.optim.lr=1e-4
    $policy.actor.ppo_mini_batch_size=$tasks $policy.actor.ppo_micro_batch_size_per_gpu=$((tasks * group))
    $policy.actor.policy_loss.loss_mode=looked_at
    $policy.actor.use_torch_compile=False $policy.actor.fsdp_config.use_torch_compile=False
    # Everything in 32 bits, as the weights are.
    +$policy.actor.fsdp_config.mixed_precision='{param_dtype: fp32, reduce_dtype: fp32, buffer_dtype: fp32}'
)
"$venv/bin/python" -m verl.trainer.main_ppo "${settings[@]}" "${@:3}" >"$directory/verl.log" 2>&1 ||
    { tail -n 60 "$directory/verl.log" >&2; exit 1; }
echo
cat "$SHOPRL_ROWS"
