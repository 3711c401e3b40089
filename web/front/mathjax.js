// Formulas as MathML, which browsers draw themselves: no fonts. Most are set when a page is made; what a widget says
// later asks globalThis.gpt4labMath.
globalThis.gpt4labMath ??= new Promise((ready, fail) => {
  const folder = new URL("mathjax", document.currentScript?.src ?? globalThis.gpt4labHere).href;
  const setMath = (math) => {
    math.typesetRoot = Object.assign(document.createElement("span"), { className: "g4l-math", innerHTML: MathJax.startup.toMML(math.root) });
  };
  const typeset = (element) => {
    const page = MathJax.startup.document;
    page.options.elements = [element];
    page.reset();
    return MathJax._.mathjax.mathjax.handleRetriesFor(() => page.render());
  };
  globalThis.MathJax = {
    loader: { paths: { mathjax: folder }, load: ["core", "input/tex-full"] },
    tex: { packages: ["base", "ams", "newcommand", "boldsymbol", "cancel", "color", "html", "unicode"], inlineMath: [["$", "$"], ["\\(", "\\)"]] },
    options: {
      ignoreHtmlClass: "bd-article|mathjax_ignore",
      processHtmlClass: "math|mathjax_process|g4l-shown",
      renderActions: { typeset: [150, (page) => { for (const math of page.math) setMath(math); }, setMath] },
    },
    startup: { pageReady: () => typeset(document.body).then(() => ready(typeset), fail) },
  };
  document.head.append(Object.assign(document.createElement("script"), { src: `${folder}/startup.js` }));
});
