//! The families of models, each as a setting of the one architecture.

use serde_json::Value;

use super::{
    architecture::{Architecture, Block, LayerPlan, Names, Norm, NormKind, Scales, Sizes},
    fields::Fields,
    rope::{Rope, RopeSizes},
};
use crate::generation::{GenerationError, numbers::Activation};

/// Values of `model_type` that are read.
const KNOWN: [&str; 12] = [
    "llama",
    "mistral",
    "smollm3",
    "qwen2",
    "qwen3",
    "gemma",
    "gemma2",
    "gemma3_text",
    "phi",
    "phi3",
    "opt",
    "gpt2",
];
/// Most layers that a model can have.
const MAX_LAYERS: usize = 1024;
const SLIDING: &str = "sliding_attention";
/// Layers of Qwen before the first that may have a window, where the config does not say.
const MAX_WINDOW_LAYERS: f64 = 28.0;

impl Architecture {
    /// Reads an architecture, and checks that its sizes fit each other.
    pub(in crate::generation) fn of(config: &Fields) -> Result<Self, GenerationError> {
        let architecture = read(config)?;
        let Sizes {
            n_heads,
            n_kv_heads,
            n_tokens,
            ..
        } = architecture.sizes;
        if !n_heads.is_multiple_of(n_kv_heads) {
            let problem = format!("{n_heads} heads cannot share {n_kv_heads}");
            return Err(GenerationError::size("num_key_value_heads", problem));
        }
        let n_layers = architecture.layers.len();
        if n_layers > MAX_LAYERS {
            let problem = format!("{n_layers} are more than {MAX_LAYERS}");
            return Err(GenerationError::size("num_hidden_layers", problem));
        }
        if u32::try_from(n_tokens).is_err() {
            return Err(GenerationError::size("vocab_size", format!("{n_tokens}")));
        }
        Ok(architecture)
    }
}

/// Reads the settings of a family.
fn read(config: &Fields) -> Result<Architecture, GenerationError> {
    let family = config.text("model_type").unwrap_or_default();
    match family {
        "gpt2" => gpt2(config),
        "opt" => opt(config),
        "phi" => phi(config),
        "llama" | "mistral" | "smollm3" | "qwen2" | "qwen3" | "phi3" => llama(config, family),
        "gemma" | "gemma2" | "gemma3_text" => gemma(config, family),
        other => Err(GenerationError::Unsupported(format!(
            "models of the type {other:?} are not read: choose a checkpoint whose config.json has one of the \
             model_types {}",
            KNOWN.join(", ")
        ))),
    }
}

/// A decoder with one norm before each part, and nothing else that is special.
fn plain(config: &Fields, names: Names, sizes: Sizes, layers: Vec<LayerPlan>) -> Architecture {
    Architecture {
        names,
        norm: Norm {
            kind: NormKind::Rms,
            epsilon: config.float("rms_norm_eps").unwrap_or(1e-6),
        },
        block: Block::Before,
        activation: Activation::Silu,
        is_gated: false,
        ropes: Vec::new(),
        first_position: None,
        layers,
        has_head_norms: false,
        has_final_norm: true,
        is_head_tied: config.flag("tie_word_embeddings").unwrap_or(false),
        scales: Scales {
            embedding: 1.0,
            attention: 1.0 / as_f32(sizes.head_width).sqrt(),
            attention_cap: None,
            logit_cap: None,
        },
        start: config.ids("bos_token_id").first().copied(),
        ends: config.ids("eos_token_id"),
        sizes,
    }
}

fn llama(config: &Fields, family: &str) -> Result<Architecture, GenerationError> {
    let sizes = sizes(config)?;
    let window = config.size("sliding_window")?;
    let n_layers = config.needed_size("num_hidden_layers")?;
    let all_slide = matches!(family, "mistral" | "phi3");
    let some_slide = config.flag("use_sliding_window") == Some(true);
    let first_sliding = config
        .number("max_window_layers")
        .unwrap_or(MAX_WINDOW_LAYERS);
    let is_sliding = |idx: usize| {
        let slides = all_slide || some_slide && f64::from(as_f32(idx)) >= first_sliding;
        layer_type(config, idx).unwrap_or(slides)
    };
    let no_rope = config.size("no_rope_layer_interval")?.unwrap_or(4);
    let has_rope = |idx: usize| match config.list("no_rope_layers") {
        Some(flags) if family == "smollm3" => flags.get(idx).is_none_or(|flag| *flag != 0),
        None if family == "smollm3" => !(idx + 1).is_multiple_of(no_rope),
        _ => true,
    };
    let layers = (0..n_layers).map(|idx| LayerPlan {
        rope: has_rope(idx).then_some(0),
        window: window.filter(|_| is_sliding(idx)),
    });
    let names = if family == "phi3" {
        Names::Phi3
    } else {
        Names::Llama
    };
    let is_tied = config.flag("tie_word_embeddings");
    let theta = if family == "smollm3" {
        2_000_000.0
    } else {
        10_000.0
    };
    Ok(Architecture {
        activation: activation(config, "hidden_act", "silu")?,
        is_gated: true,
        ropes: vec![rope(config, &sizes, theta, 1.0)?],
        has_head_norms: family == "qwen3",
        is_head_tied: is_tied.unwrap_or(family == "smollm3"),
        ..plain(config, names, sizes, layers.collect())
    })
}

fn gemma(config: &Fields, family: &str) -> Result<Architecture, GenerationError> {
    let mut sizes = sizes(config)?;
    let (is_second, is_third) = (family == "gemma2", family == "gemma3_text");
    if !config.has("max_position_embeddings") {
        sizes.max_positions = if is_third { 131_072 } else { 8192 };
    }
    let theta = if is_third { 1_000_000.0 } else { 10_000.0 };
    let mut ropes = vec![rope(config, &sizes, theta, 1.0)?];
    if is_third {
        let theta = config.number("rope_local_base_freq").unwrap_or(10_000.0);
        ropes.push(rope(&Fields::default(), &sizes, theta, 1.0)?);
    }
    let window = match config.size("sliding_window")? {
        None if is_second || is_third => Some(4096),
        window => window,
    };
    let pattern = match config.size("sliding_window_pattern")? {
        None => config.size("_sliding_window_pattern")?.unwrap_or(6),
        Some(pattern) => pattern,
    };
    let is_sliding = |idx: usize| {
        let slides =
            is_second && idx.is_multiple_of(2) || is_third && !(idx + 1).is_multiple_of(pattern);
        layer_type(config, idx).unwrap_or(slides)
    };
    let n_layers = config.needed_size("num_hidden_layers")?;
    let layers = (0..n_layers).map(|idx| LayerPlan {
        rope: Some(usize::from(is_third && is_sliding(idx))),
        window: window.filter(|_| is_sliding(idx)),
    });
    let own = plain(config, Names::Llama, sizes, layers.collect());
    let mut scales = own.scales;
    scales.embedding = as_f32(sizes.width).sqrt();
    if is_second || is_third {
        let scalar = config.float("query_pre_attn_scalar").unwrap_or(256.0);
        scales.attention = 1.0 / scalar.max(f32::MIN_POSITIVE).sqrt();
        let cap = |name: &str, default: f32| {
            if config.has(name) {
                config.float(name).filter(|cap| *cap > 0.0)
            } else {
                is_second.then_some(default)
            }
        };
        scales.attention_cap = cap("attn_logit_softcapping", 50.0);
        scales.logit_cap = cap("final_logit_softcapping", 30.0);
    }
    Ok(Architecture {
        norm: Norm {
            kind: NormKind::RmsPlusOne,
            ..own.norm
        },
        block: if is_second || is_third {
            Block::Around
        } else {
            Block::Before
        },
        // `hidden_act` of the first checkpoints says "gelu" and is wrong.
        activation: activation(config, "hidden_activation", "gelu_pytorch_tanh")?,
        is_gated: true,
        ropes,
        has_head_norms: is_third,
        is_head_tied: config.flag("tie_word_embeddings").unwrap_or(true),
        scales,
        ..own
    })
}

fn phi(config: &Fields) -> Result<Architecture, GenerationError> {
    if config.flag("qk_layernorm") == Some(true) {
        return Err(unsupported("Phi models with qk_layernorm"));
    }
    let sizes = sizes(config)?;
    let layers = vec![plain_layer(Some(0)); config.needed_size("num_hidden_layers")?];
    Ok(Architecture {
        norm: layer_norm(config, "layer_norm_eps"),
        block: Block::Parallel,
        activation: activation(config, "hidden_act", "gelu_new")?,
        ropes: vec![rope(config, &sizes, 10_000.0, 0.5)?],
        ..plain(config, Names::Phi, sizes, layers)
    })
}

fn opt(config: &Fields) -> Result<Architecture, GenerationError> {
    if config.flag("layer_norm_elementwise_affine") == Some(false) {
        return Err(unsupported(
            "OPT models without weights in their layer norms",
        ));
    }
    let width = config.needed_size("hidden_size")?;
    let n_heads = config.needed_size("num_attention_heads")?;
    let sizes = Sizes {
        n_tokens: config.needed_size("vocab_size")?,
        width,
        embedding_width: config.size("word_embed_proj_dim")?.unwrap_or(width),
        inner_width: config.needed_size("ffn_dim")?,
        n_heads,
        n_kv_heads: n_heads,
        head_width: shared(width, n_heads)?,
        max_positions: config.size("max_position_embeddings")?.unwrap_or(2048),
    };
    let is_before = config.flag("do_layer_norm_before").unwrap_or(true);
    let is_final_removed = config.flag("_remove_final_layer_norm").unwrap_or(false);
    let layers = vec![plain_layer(None); config.needed_size("num_hidden_layers")?];
    let own = plain(config, Names::Opt, sizes, layers);
    Ok(Architecture {
        norm: layer_norm(config, "layer_norm_eps"),
        block: if is_before {
            Block::Before
        } else {
            Block::After
        },
        activation: activation(config, "activation_function", "relu")?,
        // The table starts with two rows that padding had.
        first_position: Some(2),
        has_final_norm: is_before && !is_final_removed,
        is_head_tied: config.flag("tie_word_embeddings").unwrap_or(true),
        // The token that starts and ends texts of this family.
        start: own.start.or(Some(2)),
        ends: if own.ends.is_empty() {
            vec![2]
        } else {
            own.ends
        },
        ..own
    })
}

fn gpt2(config: &Fields) -> Result<Architecture, GenerationError> {
    for name in ["scale_attn_by_inverse_layer_idx", "add_cross_attention"] {
        if config.flag(name) == Some(true) {
            return Err(unsupported(&format!("GPT-2 models with {name}")));
        }
    }
    let width = config.needed_size("n_embd")?;
    let n_heads = config.needed_size("n_head")?;
    let sizes = Sizes {
        n_tokens: config.needed_size("vocab_size")?,
        width,
        embedding_width: width,
        inner_width: config.size("n_inner")?.unwrap_or(4 * width),
        n_heads,
        n_kv_heads: n_heads,
        head_width: shared(width, n_heads)?,
        max_positions: match config.size("n_positions")? {
            Some(n_positions) => n_positions,
            None => config.size("n_ctx")?.unwrap_or(1024),
        },
    };
    let layers = vec![plain_layer(None); config.needed_size("n_layer")?];
    let own = plain(config, Names::Gpt2, sizes, layers);
    let mut scales = own.scales;
    if config.flag("scale_attn_weights") == Some(false) {
        scales.attention = 1.0;
    }
    Ok(Architecture {
        norm: layer_norm(config, "layer_norm_epsilon"),
        activation: activation(config, "activation_function", "gelu_new")?,
        first_position: Some(0),
        is_head_tied: config.flag("tie_word_embeddings").unwrap_or(true),
        scales,
        ..own
    })
}

/// Sizes by the names that all families but GPT-2 and OPT use.
fn sizes(config: &Fields) -> Result<Sizes, GenerationError> {
    let width = config.needed_size("hidden_size")?;
    let n_heads = config.needed_size("num_attention_heads")?;
    Ok(Sizes {
        n_tokens: config.needed_size("vocab_size")?,
        width,
        embedding_width: width,
        inner_width: config.needed_size("intermediate_size")?,
        n_heads,
        n_kv_heads: config.size("num_key_value_heads")?.unwrap_or(n_heads),
        head_width: match config.size("head_dim")? {
            Some(head_width) => head_width,
            None if config.text("model_type") == Some("qwen3") => 128,
            None if is_gemma(config) => 256,
            None => shared(width, n_heads)?,
        },
        max_positions: config.size("max_position_embeddings")?.unwrap_or(2048),
    })
}

fn is_gemma(config: &Fields) -> bool {
    let family = config.text("model_type").unwrap_or_default();
    family.starts_with("gemma")
}

fn rope(config: &Fields, sizes: &Sizes, theta: f64, share: f64) -> Result<Rope, GenerationError> {
    let share = config.number("partial_rotary_factor").unwrap_or(share);
    if !(0.0..=1.0).contains(&share) {
        let problem = format!("{share} is no share");
        return Err(GenerationError::size("partial_rotary_factor", problem));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a part of a head, rounded down as the library does"
    )]
    let n_rotated = (sizes.head_width as f64 * share) as usize;
    let sizes = RopeSizes {
        n_rotated,
        theta: config.number("rope_theta").unwrap_or(theta),
        max_positions: sizes.max_positions,
    };
    Rope::of(config, sizes)
}

/// Returns whether a layer attends to a window only, where the config says so for every layer.
fn layer_type(config: &Fields, idx: usize) -> Option<bool> {
    let layer_type = config.list("layer_types")?.get(idx);
    Some(layer_type.and_then(Value::as_str) == Some(SLIDING))
}

fn layer_norm(config: &Fields, name: &str) -> Norm {
    Norm {
        kind: NormKind::Layer,
        epsilon: config.float(name).unwrap_or(1e-5),
    }
}

fn plain_layer(rope: Option<usize>) -> LayerPlan {
    LayerPlan { rope, window: None }
}

fn activation(config: &Fields, name: &str, default: &str) -> Result<Activation, GenerationError> {
    let text = config.text(name).unwrap_or(default);
    Activation::parse(text)
        .ok_or_else(|| unsupported(&format!("models with the activation {text}")))
}

fn unsupported(models: &str) -> GenerationError {
    GenerationError::Unsupported(format!("{models} are not read: choose another checkpoint"))
}

fn shared(width: usize, n_heads: usize) -> Result<usize, GenerationError> {
    if width.is_multiple_of(n_heads) {
        return Ok(width / n_heads);
    }
    let problem = format!("{n_heads} heads cannot share {width} numbers");
    Err(GenerationError::size("num_attention_heads", problem))
}

#[expect(clippy::cast_precision_loss, reason = "widths are below 2^24")]
fn as_f32(number: usize) -> f32 {
    number as f32
}
