//! An image is encoded once for all clicks; clients do not get the mask of another image.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use image::{Rgb, RgbImage};
use label_studio_vision::{
    images::{ImageArgs, Limits},
    masks::Mask,
    models::sam::{Embedding, Predictor, Prompt, PromptedModel, SamError, ScoredMask},
};
use ndarray::arr1;

/// Remembers the image's first red value, and answers with a mask of that many pixels.
#[derive(Clone, Default)]
struct FirstPixel {
    is_broken: Arc<AtomicBool>,
    /// Callers that an encode waits for.
    wanted: usize,
    arrived: Arc<AtomicUsize>,
}

impl PromptedModel for FirstPixel {
    fn encode(&self, image: &RgbImage) -> Result<Embedding, SamError> {
        while self.arrived.load(Ordering::SeqCst) < self.wanted {
            thread::yield_now();
        }
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(SamError::NoPrompt);
        }
        Ok(Embedding {
            image: image.dimensions(),
            tensors: vec![arr1(&[f32::from(image.get_pixel(0, 0).0[0])]).into_dyn()],
        })
    }

    fn decode(&self, embedding: &Embedding, prompt: &Prompt) -> Result<ScoredMask, SamError> {
        let (width, height) = (embedding.image.0 as usize, embedding.image.1 as usize);
        let first = embedding.tensors[0][[0]];
        let mask = Mask::from_fn(width, height, |x, y| {
            y == 0 && f32::from(u16::try_from(x).unwrap()) < first
        });
        Ok(ScoredMask {
            mask,
            score: prompt.clicks[0].x,
        })
    }
}

fn image_file(folder: &Path, name: &str, red: u8) -> PathBuf {
    let path = folder.join(name);
    RgbImage::from_pixel(40, 3, Rgb([red, 0, 0]))
        .save(&path)
        .unwrap();
    path
}

fn predictor(cache_bytes: usize) -> Predictor {
    Predictor::new(FirstPixel::default(), cache_bytes)
}

fn area(predictor: &Predictor, path: &Path) -> usize {
    let embedding = predictor.embed_file(path).unwrap();
    predictor
        .segment(&embedding, &Prompt::click(1.0, 1.0))
        .unwrap()
        .mask
        .area()
}

#[test]
fn the_second_click_on_an_image_encodes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let predictor = predictor(1 << 20);
    let path = image_file(folder.path(), "a.png", 7);
    for _ in 0..5 {
        assert_eq!(area(&predictor, &path), 7);
    }
    assert_eq!(predictor.n_encoded(), 1);
}

#[test]
fn content_counts_and_not_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let predictor = predictor(1 << 20);
    let path = image_file(folder.path(), "a.png", 7);
    let copy = image_file(folder.path(), "copy.png", 7);
    assert_eq!((area(&predictor, &path), area(&predictor, &copy)), (7, 7));
    assert_eq!(predictor.n_encoded(), 1);
    // Of the same length, and soon after.
    image_file(folder.path(), "a.png", 8);
    assert_eq!((area(&predictor, &path), area(&predictor, &copy)), (8, 7));
    assert_eq!(predictor.n_encoded(), 2);
}

#[test]
fn simultaneous_clicks_on_a_new_image_encode_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = image_file(folder.path(), "a.png", 9);
    let model = FirstPixel {
        wanted: 16,
        ..FirstPixel::default()
    };
    let predictor = Predictor::new(model.clone(), 1 << 20);
    thread::scope(|scope| {
        for _ in 0..model.wanted {
            scope.spawn(|| {
                model.arrived.fetch_add(1, Ordering::SeqCst);
                assert_eq!(area(&predictor, &path), 9);
            });
        }
    });
    assert_eq!(predictor.n_encoded(), 1);
}

#[test]
fn a_click_on_a_known_image_does_not_wait_while_another_is_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let (known, new) = (
        image_file(folder.path(), "known.png", 7),
        image_file(folder.path(), "new.png", 9),
    );
    let model = FirstPixel {
        wanted: 1,
        ..FirstPixel::default()
    };
    let predictor = Predictor::new(model.clone(), 1 << 20);
    model.arrived.store(1, Ordering::SeqCst);
    assert_eq!(area(&predictor, &known), 7);
    // From now on an encoder runs until it is let go.
    model.arrived.store(0, Ordering::SeqCst);
    thread::scope(|scope| {
        let waiting = [(); 2].map(|()| scope.spawn(|| area(&predictor, &new)));
        while predictor.n_encoded() < 2 {
            thread::yield_now();
        }
        for _ in 0..100 {
            assert_eq!(area(&predictor, &known), 7);
        }
        assert!(waiting.iter().all(|click| !click.is_finished()));
        model.arrived.store(1, Ordering::SeqCst);
        assert_eq!(waiting.map(|click| click.join().unwrap()), [9, 9]);
    });
    assert_eq!(predictor.n_encoded(), 2);
}

#[test]
fn ten_thousand_interleaved_clicks_of_two_users_never_mix_their_images() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [
        image_file(folder.path(), "a.png", 3),
        image_file(folder.path(), "b.png", 30),
    ];
    // Room for one embedding: every change of the image drops the other's.
    let predictor = predictor(4);
    thread::scope(|scope| {
        for (path, expected) in paths.iter().zip([3, 30]) {
            let predictor = &predictor;
            scope.spawn(move || {
                let embedding = predictor.embed_file(path).unwrap();
                for n_click in 0..5000 {
                    // Most clicks come with what was seen before; some look again.
                    if n_click % 10 == 0 {
                        assert_eq!(area(predictor, path), expected);
                    }
                    let found = predictor
                        .segment(&embedding, &Prompt::click(f64::from(n_click), 0.0))
                        .unwrap();
                    assert_eq!(found.mask.area(), expected);
                    assert!((found.score - f64::from(n_click)).abs() < 1e-9);
                }
            });
        }
    });
}

#[test]
fn images_used_longest_ago_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let predictor = predictor(8);
    let [a, b, c] = [("a.png", 1), ("b.png", 2), ("c.png", 3)]
        .map(|(name, red)| image_file(folder.path(), name, red));
    for path in [&a, &b, &a, &c, &a] {
        area(&predictor, path);
    }
    assert_eq!(predictor.n_encoded(), 3, "a was used after b");
    area(&predictor, &b);
    assert_eq!(predictor.n_encoded(), 4);
}

#[test]
fn the_last_image_is_kept_even_when_it_is_over_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let predictor = predictor(0);
    let path = image_file(folder.path(), "a.png", 5);
    area(&predictor, &path);
    area(&predictor, &path);
    assert_eq!(predictor.n_encoded(), 1);
}

#[test]
fn a_failure_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = image_file(folder.path(), "a.png", 5);
    let model = FirstPixel::default();
    model.is_broken.store(true, Ordering::SeqCst);
    let predictor = Predictor::new(model.clone(), 1 << 20);
    assert!(predictor.embed_file(&path).is_err());
    model.is_broken.store(false, Ordering::SeqCst);
    assert_eq!(area(&predictor, &path), 5);
    assert_eq!(predictor.n_encoded(), 2);
}

#[test]
fn a_decoded_image_is_known_by_its_pixels() {
    let predictor = predictor(1 << 20);
    let image = RgbImage::from_pixel(6, 4, Rgb([1, 2, 3]));
    let same_bytes = RgbImage::from_pixel(4, 6, Rgb([1, 2, 3]));
    predictor.embed(&image).unwrap();
    assert_eq!(predictor.embed(&image).unwrap().image, (6, 4));
    assert_eq!(predictor.embed(&same_bytes).unwrap().image, (4, 6));
    assert_eq!(predictor.n_encoded(), 2);
}

#[test]
fn images_that_cannot_be_used_name_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let predictor = predictor(1 << 20).with_reader(Arc::new(
        ImageArgs {
            limits: Limits {
                max_bytes: 1000,
                max_pixels: 1000,
            },
            ..ImageArgs::default()
        }
        .reader(),
    ));
    let files: [(&str, &[u8]); 2] = [("empty.png", b""), ("text.png", b"no image")];
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    RgbImage::new(100, 100)
        .save(folder.path().join("large.png"))
        .unwrap();
    fs::write(folder.path().join("heavy.png"), [0; 1001]).unwrap();
    for name in ["empty.png", "text.png", "large.png", "gone.png"] {
        let error = predictor.embed_file(folder.path().join(name)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let heavy = predictor
        .embed_file(folder.path().join("heavy.png"))
        .unwrap_err();
    assert!(heavy.to_string().contains("1001 bytes"), "{heavy}");
    assert_eq!(predictor.n_encoded(), 0);
}

#[test]
fn a_prompt_without_anything_is_refused() {
    let predictor = predictor(1 << 20);
    let embedding = predictor.embed(&RgbImage::new(2, 2)).unwrap();
    let error = predictor
        .segment(&embedding, &Prompt::default())
        .unwrap_err();
    assert!(
        error.to_string().contains("a click or a rectangle"),
        "{error}"
    );
}
