"use strict";

/** The tab on which a language model writes on from a prefix, and shows what it does. */
class WriteTab {
  /** @param {(text: string, error?: boolean) => void} say tells the user something */
  constructor(say) {
    this.say = say;
    this.model = null;
    this.tokens = [];
    this.run = null; // { total }: the text that is being written
    this.hovered = null; // index of the token that the pointer is over
    this.following = true; // the newest token is the one that is looked at
    this.painted = { count: 0, limit: 1 }; // tokens that have the right colour
    this.frame = null;
    this.view = new UnitView(() => this.#lookAgain());
    this.text = new ColouredText(
      $("text"), (index) => this.#hover(index), (index) => this.#goTo(index));
    $("writing").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#write();
    });
    $("stop").addEventListener("click", () => this.#stop());
    $("choice").addEventListener("change", () => this.#markChoice());
    $("token").addEventListener("input", () => this.#goTo(Number($("token").value) - 1));
    this.#markChoice(); // a browser may have kept it from the last visit
  }

  /** Lets a model write from now on. @param {?TextModel} model null: none */
  use(model) {
    this.#end();
    this.model = model;
    $("write").disabled = !model;
    this.#clear();
    for (const id of ["text-layer", "text-part", "unit"]) $(id).disabled = !model;
    if (model) this.view.use(model);
  }

  get #options() {
    const random = $("choice").value === "random";
    return {
      length: Number($("length").value),
      temperature: random ? Number($("temperature").value) : 0,
      topK: Number($("top-k").value),
      seed: wholeNumber($("seed").value),
    };
  }

  /** Index of the token that is looked at. */
  get #at() {
    return this.hovered ?? Number($("token").value) - 1;
  }

  #markChoice() {
    const random = $("choice").value === "random";
    for (const id of ["temperature", "top-k", "seed"]) $(id).disabled = !random;
  }

  async #write() {
    const options = this.#options;
    this.#end();
    this.#clear();
    const run = this.run = { total: options.length };
    this.#markBusy();
    this.say("Reading the prefix …");
    try {
      const prefix = await this.model.split($("prefix").value);
      if (run !== this.run) return;
      run.total += prefix.ids.length;
      this.#note(prefix);
      for await (const token of write(this.model, prefix, options)) {
        if (run !== this.run) return;
        this.#take(token, prefix.ids.length);
      }
      this.say(`Written: ${options.length} ${this.model.kind}.`);
    } catch (error) {
      if (run !== this.run) return;
      this.say(error.message, true);
    }
    this.#end();
  }

  #stop() {
    const written = this.tokens.filter((token) => token.written).length;
    this.#end();
    this.say(`Stopped after ${written} ${this.model.kind}.`);
  }

  /** Ends what is being written, if anything is. */
  #end() {
    if (!this.run) return;
    const stopHadFocus = document.activeElement === $("stop");
    this.run = null;
    this.#markBusy();
    if (stopHadFocus) $("write").focus();
    $("plain-text").textContent =
      this.model.joined(this.tokens.map((token) => token.text));
    this.#draw();
  }

  #clear() {
    this.tokens = [];
    this.hovered = null;
    this.following = true;
    this.painted.count = 0;
    this.text.clear();
    for (const id of ["plain-text", "prefix-note", "token-shown"]) $(id).textContent = "";
    for (const id of ["likeliest", "varied", "at-work"]) $(id).replaceChildren();
    $("units-map").getContext("2d").clearRect(0, 0, $("units-map").width, $("units-map").height);
    $("token").disabled = true;
    $("inside-text").hidden = true;
  }

  #markBusy() {
    $("write-panel").ariaBusy = String(this.run !== null);
    $("stop").disabled = this.run === null;
  }

  /** Says how the prefix is read, if otherwise than it was typed. */
  #note({ ids, tokens }) {
    const said = [];
    const read = this.model.joined(tokens);
    if (read !== $("prefix").value) said.push(`The prefix is read as “${read}”.`);
    const unknown = [...new Set(tokens.filter((_, i) => ids[i] === 0))];
    const names = unknown.map((token) => tokenName(token, this.model.bytes)).join(", ");
    if (unknown.length) said.push(`The vocabulary lacks, and the model reads as <unk>: ${names}`);
    $("prefix-note").textContent = said.join(" ");
  }

  #take(token, prefixLength) {
    this.tokens.push(token);
    const classes = [token.written ? "written" : "given"];
    if (token.unknown) classes.push("unknown");
    this.text.add(tokenInText(token.text, this.model.bytes), classes, this.model.separator);
    const count = this.tokens.length;
    $("token").max = count;
    $("token").disabled = false;
    $("inside-text").hidden = false;
    if (this.following) $("token").value = count;
    if (count === prefixLength) {
      this.say("Writing …");
      this.view.suggest(this.tokens);
      this.painted.count = 0;
    }
    this.#drawSoon();
  }

  #hover(index) {
    this.hovered = index;
    this.#drawSoon();
  }

  #goTo(index) {
    this.following = false;
    $("token").value = index + 1;
    this.#drawSoon();
  }

  #lookAgain() {
    this.painted.count = 0;
    this.#drawSoon();
  }

  /** Draws once before the browser shows the page again. */
  #drawSoon() {
    this.frame ??= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.tokens.length) return;
    this.#paint();
    const at = this.#at;
    this.text.mark(at);
    this.view.draw(this.tokens, this.run?.total ?? this.tokens.length, at);
    $("coloured-by").textContent = this.view.inWords;
    this.#describe(at);
  }

  /** Colours the tokens that do not have the right colour yet. */
  #paint() {
    const limit = this.view.limit(this.tokens);
    if (limit !== this.painted.limit) this.painted = { count: 0, limit };
    for (; this.painted.count < this.tokens.length; this.painted.count++) {
      const value = this.view.values(this.tokens[this.painted.count])[this.view.unit];
      this.text.paint(this.painted.count, this.view.colour(value, limit));
    }
  }

  /** Shows what is known about a token. */
  #describe(at) {
    const token = this.tokens[at];
    const name = (text) => tokenName(text, this.model.bytes);
    const share = token.probability === null
      ? "nothing stands before it"
      : `probability ${percent(token.probability)}`;
    const value = this.view.values(token)[this.view.unit].toFixed(2);
    $("token-shown").textContent =
      `${name(token.text)}: ${at + 1} of ${this.tokens.length}, ` +
      `${token.written ? "written" : "of the prefix"}, ${share}; ${this.view.inWords}: ${value}`;
    $("token").setAttribute("aria-valuetext", $("token-shown").textContent);
    const shares = token.likeliest.map(([text, each]) => [name(text), each]);
    let marked = token.place;
    if (marked < 0 && token.probability !== null) {
      marked = shares.push([name(token.text), token.probability]) - 1;
    }
    showBars($("likeliest"), shares, marked);
  }
}

/** Returns a whole number of any size from what a field holds, such as 12 or 1e3. */
function wholeNumber(text) {
  return BigInt(/^-?\d+$/.test(text) ? text : Math.round(Number(text)));
}
