use proptest::prelude::*;

use super::*;

fn nano() -> ModelConfig {
    ModelConfig::preset("nano", 400).unwrap()
}

#[test]
fn the_layout_covers_the_vector_without_gap_or_overlap() {
    let layout = Layout::new(&nano());
    let mut end = 0;
    for entry in layout.entries() {
        assert_eq!(entry.offset, end, "{}", entry.name);
        assert_eq!(layout.entry(&entry.name), Some(entry));
        end = entry.range().end;
    }
    assert_eq!(end, layout.len());
    assert_eq!(layout.entries().len(), 2 + 4 * 11);
    assert_eq!(
        layout.len(),
        400 * 128 + 4 * (4 * 128 * 128 + 3 * 128 * 352 + 2 * 128 + 2 * 32) + 128
    );
}

#[test]
fn layer_ranges_are_the_tensors_of_their_names() {
    let mut config = nano();
    config.num_key_value_heads = 2;
    let layout = Layout::new(&config);
    let check = |name: &str, range: &Range<usize>, shape: &[usize]| {
        let entry = layout.entry(&format!("model.layers.2.{name}.weight")).unwrap();
        assert_eq!((&entry.range(), entry.shape.as_slice()), (range, shape), "{name}");
    };
    let layer = &layout.layers()[2];
    check("input_layernorm", &layer.input_norm, &[128]);
    check("self_attn.q_proj", &layer.query, &[128, 128]);
    check("self_attn.k_proj", &layer.key, &[64, 128]);
    check("self_attn.v_proj", &layer.value, &[64, 128]);
    check("self_attn.q_norm", &layer.query_norm, &[32]);
    check("self_attn.k_norm", &layer.key_norm, &[32]);
    check("self_attn.o_proj", &layer.output, &[128, 128]);
    check("post_attention_layernorm", &layer.post_attention_norm, &[128]);
    check("mlp.gate_proj", &layer.gate, &[352, 128]);
    check("mlp.up_proj", &layer.up, &[352, 128]);
    check("mlp.down_proj", &layer.down, &[128, 352]);
    assert_eq!(
        (layer.query.end, layer.key.end, layer.gate.end),
        (layer.key.start, layer.value.start, layer.up.start)
    );
}

#[test]
fn random_weights_have_the_documented_scales_and_depend_on_the_seed() {
    let (one, again, other) =
        (Parameters::init(&nano(), 7), Parameters::init(&nano(), 7), Parameters::init(&nano(), 8));
    assert_eq!(one.digest(), again.digest());
    assert_ne!(one.digest(), other.digest());
    let check = |name: &str, deviation: f32| {
        let values = one.tensor(name).unwrap();
        let mean_square = values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32;
        assert!(
            (mean_square.sqrt() / deviation - 1.0).abs() < 0.03,
            "{name}: {}",
            mean_square.sqrt()
        );
    };
    check("model.embed_tokens.weight", 1.0);
    check("model.layers.0.self_attn.q_proj.weight", 128f32.powf(-0.5));
    check("model.layers.3.mlp.up_proj.weight", 128f32.powf(-0.5));
    check("model.layers.1.self_attn.o_proj.weight", (128.0f32 * 8.0).powf(-0.5));
    check("model.layers.1.mlp.down_proj.weight", (352.0f32 * 8.0).powf(-0.5));
    check("model.layers.2.self_attn.k_norm.weight", 1.0);
    check("model.norm.weight", 128f32.powf(-0.5));
    assert_eq!(one.tensor("lm_head.weight"), None);
}

proptest! {
    #[test]
    fn weights_survive_serialisation(values in prop::collection::vec(any::<f32>(), 1..8)) {
        let mut layout = Layout::new(&nano());
        layout.len = values.len();
        let sent = Parameters { layout: Arc::new(layout), values };
        let received = Parameters::from_bytes(sent.layout.clone(), &sent.to_bytes()).unwrap();
        let bits = |p: &Parameters| p.values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&received), bits(&sent));
        prop_assert_eq!(received.digest(), sent.digest());
    }
}

#[test]
fn bytes_of_another_geometry_are_refused() {
    let layout = Arc::new(Layout::new(&nano()));
    let message = Parameters::from_bytes(layout, &[0; 12]).unwrap_err().to_string();
    assert!(message.starts_with("weights hold 12 bytes, but this geometry has 3"), "{message}");
}
