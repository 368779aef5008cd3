//! The graphs. Those of Dask are the graphs of its `dask/tests/test_order.py`: which test a graph
//! comes from stands above it. Every node is a task here, also where Dask's test has plain data.

use super::graph::Graph;
use super::shapes::{
    anomalies, common_dependents, dependents_of_two, equal_dependents, fft, fold, shared_operand, stencil,
    three_means, tree, wavefront,
};

/// All graphs, the small ones first.
pub(crate) fn all() -> Vec<Graph> {
    let written = WRITTEN.iter().map(|(name, text)| Graph::parse(name, text));
    let made = [
        dependents_of_two("dependents_too_early", 10),
        equal_dependents("equal_dependents", false),
        equal_dependents("equal_dependents_tail", true),
        common_dependents("common_dependents", 5, 7),
        shared_operand("xarray_8414", 8),
        three_means("three_means_5", 5),
        three_means("three_means_500", 500),
        anomalies("anomalies_40_by_4", 40, 4),
        fold("left_fold_500", 500, false),
        fold("right_fold_500", 500, true),
        tree("tree_8192", 1 << 13),
        wavefront("wavefront_50", 50),
        stencil("stencil_4_by_100", 4, 100),
        stencil("stencil_64_by_100", 64, 100),
        fft("fft_64_by_100", 64, 100),
    ];
    written.chain(made).collect()
}

/// Graphs of tests that have no size, as [`Graph::parse`] reads them.
const WRITTEN: &[(&str, &str)] = &[
    // `test_ordering_keeps_groups_together`
    ("keeps_groups_together", "b0(a0 a2) b1(a1 a3)"),
    // `test_avoid_broker_nodes`
    ("avoid_broker_nodes", "b0(a0) b1(a1) b2(a1)"),
    // `test_base_of_reduce_preferred`
    ("base_of_reduce_preferred", "a3(a2(a1(a0(b0(c)) b1(c)) b2(c)) b3(c))"),
    // `test_avoid_upwards_branching`
    ("upwards_branching", "a1(a2(a3(b1(b2) c1(c2(c3))))) d1(c1)"),
    // `test_avoid_upwards_branching_complex`
    ("upwards_branching_complex", "a1(a2(a3(b1(b2) c1(c2(c3))))) d2(d1(c1)) d3(d1) e2(e1(b1))"),
    // `test_deep_bases_win_over_dependents`
    ("deep_bases_win_over_dependents", "a(b(d e) c(d) d)"),
    // `test_favor_longest_critical_path`
    ("favor_longest_critical_path", "d(c) e(c) a(b(c))"),
    // `test_run_smaller_sections`
    ("run_smaller_sections", "b(a c) aa(d(c e) bb(cc)) dd(cc)"),
    // `test_local_parents_of_reduction`
    ("local_parents_of_reduction", "a1(a2(a3)) b1(b2(b3 a2)) c1(c2(c3 b2))"),
    // `test_nearest_neighbor`
    ("nearest_neighbor", "a1(b1) a2(b1) a3(b1 b2) a4(b2) a5(b2 b3) a6(b3) a7(b3 b4) a8(b4) a9(b4)"),
    // `test_prefer_short_narrow`
    ("prefer_short_narrow", "c2(c1(c0 a0 b0) a1 b1)"),
    // `test_prefer_short_ancestor`
    ("prefer_short_ancestor", "c2(c1(c0 a0(ab) b0(ab)) a1(ab) b1(ab))"),
    // `test_map_overlap`
    ("map_overlap", "b1(c1(d1(e1)) c2(d1 d2 d3(e3))) b3(c2 c3(d3) c4(d3 d4 d5(e5))) b5(c4 c5(d5))"),
    // `test_use_structure_not_keys`
    (
        "use_structure_not_keys",
        "b5(a2) b7(a0 a2) b9(a7 a0 a2) b1(a4 a7 a0) b2(a9 a4 a7) b4(a6 a9 a4) b3(a5 a6 a9) b8(a1 a5 a6) \
         b6(a8 a1 a5) b0(a3 a8 a1)",
    ),
    // `test_many_branches_use_ndependencies`
    (
        "many_branches",
        "a3(a2(a1(a0)) b2(b1(a0)) c1(a0) dd3(d2(d1(a0)) dd2(dd1(a0))) ee3(e2(e1(a0)) ee2(ee1(a0))))",
    ),
    // `test_terminal_node_backtrack`
    ("terminal_node_backtrack", "s(s00(b0(a0 a1)) s10(b1(a1 a2)) s01(b2(a3 a4)) s11(b3(a4 a5)))"),
    // `test_array_store_final_order`
    (
        "array_store_final_order",
        "s00(r00(c00(o00))) s01(r01(c01(o01))) s10(r10(c10(o10) rs3(c20(o00)))) s11(r11(c11(o11) \
         rs5(c21(o01)))) s20(r20(rs6(c20) c30(o10) rs8(c40(o00)))) s21(r21(rs9(c21) c31(o11) \
         rs11(c41(o01)))) s30(r30(rs12(c40) c50(o10) rs14(c60(o00)))) s31(r31(rs15(c41) c51(o11) \
         rs17(c61(o01)))) s40(r40(rs18(c60) c70(o10))) s41(r41(rs20(c61) c71(o11)))",
    ),
    // `test_eager_to_compute_dependent_to_free_parent`
    (
        "eager_to_free_parent",
        "a32(a30(a19(a46(a51(a41(a34(a11(a33(a58(a65))) a09(a43(a55(a67)))) a50(a12(a47(a59(a63))) \
         a13(a44(a53(a68))))) a39(a38(a14(a42(a54(a70))) a10(a36(a52(a62)))) a40(a18(a35(a60(a69))) \
         a17(a49(a56(a71)))))) a45(a16(a48(a57(a64))) a15(a37(a61(a66))))))) \
         a31(a07(a00(a06(a04(a29(a58) a20(a55)) a02(a24(a59) a21(a53))) a08(a05(a23(a54) a27(a52)) \
         a03(a22(a60) a25(a56)))) a01(a28(a57) a26(a61)))))",
    ),
    // `test_diagnostics`
    ("diagnostics", "a1(a0 b0 c0) b1(b0 c0 d0) c1(c0 d0 e0) d1(d0 e0) e1(e0)"),
    // `test_xarray_like_reduction`
    (
        "xarray_like_reduction",
        "d0(c00(b00(a00)) c01(b01(a01)) c02(b02(a02))) d1(c10(b10(a00 a10)) c11(b11(a01 a11)) \
         c12(b12(a02 a12))) d2(c20(b20(a10)) c21(b21(a11)) c22(b22(a12)))",
    ),
    // `test_anom_mean_raw`
    (
        "anom_mean_raw",
        "g20(h00(c200(d00(a00 b100(e00(g10(c000(b000(a00)) c010(b010(a20)) c020(b020(a40))))))) \
         c210(d10(a10 b110(e10(g30(c100(b200(a10)) c110(b210(a30))))))) c220(d20(a20 b120(e00))) \
         c230(d30(a30 b130(e10)))) h10(c240(d40(a40 b140(e00)))))",
    ),
    // `test_flox_reduction`
    (
        "flox_reduction",
        "g10(a0 b110(b10(a20))) g11(a0 b220(b20(a10))) g12(a0 e0(d0(a10 a20 c10(b220) c20(b110)))) \
         g20(a0 b111(b11(a21))) g21(a0 b221(b21(a11))) g22(a0 e1(d1(a11 a21 c11(b221) c21(b111))))",
    ),
    // `test_doublediff`
    (
        "doublediff",
        "END(e000(d000(c100(a500) c000(b100(a400)))) e001(d001(c101(b001(a301)) c001(b101(a400)))) \
         e002(d002(c102(b002(a301)) c002(b102(a401)))) e010(d010(c110(b010(a310)) c010(b110(a400)))) \
         e011(d011(c111(b011(a311)) c011(b111(a400)))) e012(d012(c112(b012(a311)) c012(b112(a401)))) \
         e020(d020(c120(b020(a310)) c020(b120(a410)))) e021(d021(c121(b021(a311)) c021(b121(a410)))) \
         e022(d022(c122(b022(a311)) a222)))",
    ),
    // `test_gh_3055_explicit`
    (
        "gh_3055_explicit",
        "f11(d01(c01(a0(r0)) c00(a2 a1))) g2(g1(e0(c10(b10(a1) b12(a1)) c02(b00(a0) b01(a0))) a3) a4 \
         d00(c01 c00))",
    ),
    // `test_order_flox_reduction_2`
    (
        "order_flox_reduction_2",
        "d00(c00(b000(a0) b001(a1) b002(a2))) d01(c01(b010(a0) b011(a1) b012(a2))) d10(c10(b100(a0) \
         b101(a1) b102(a2))) d11(c11(b110(a0) b111(a1) b112(a2)))",
    ),
    // `test_xarray_map_reduce_with_slicing`
    (
        "map_reduce_with_slicing",
        "t000(ga000(g000(a0 gd000(o000(d))) g001(a1 gd100(o100(d))))) t001(ga001(g010(a0 \
         gd001(o001(d))) g011(a1 gd101(o101(d))))) t010(ga010(g101(a1 gd110(o110(d))) g100(a0 \
         gd010(o010(d))))) t011(ga011(g110(a0 gd011(o011(d))) g111(gd111(o111(d)) a1)))",
    ),
    // `test_xarray_rechunk_map_reduce_cohorts`
    (
        "rechunk_cohorts",
        "t000(cg000(gc000(gc2000(r000(rs1(c100(s4665(g2200(o200)) s4664(g2100(o100)))) c000(s0(go0) \
         s1(g2100))))) gc001(gc2001(r200(rs8(c200(s9328(g2200) s9329(go9329) s9330(g214.0.0(o14.0.0)))) \
         rs9(c300(s16324(g214.0.0) s16325(g215.0.0(o15.0.0))))))))) \
         t010(cg010(gc101(gc2101(r210(rs10(c210(s9487(g2210(o210)) s9488(go9488) \
         s9489(g214.1.0(o14.1.0)))) rs11(c310(s16430(g214.1.0) s16431(g215.1.0(o15.1.0))))))) \
         gc100(gc2100(r010(rs3(c110(s4770(g2110(o110)) s4771(g2210))) c010(s106(go106) \
         s107(g2110))))))) t100(cg100(g000(gd000(r100(rs4(c100) rs5(c200)))) \
         g001(gd001(r300(c400(s20989(go20989) s20988(g215.0.0)) rs12(c300)))))) \
         t110(cg110(g100(gd100(r110(rs7(c210) rs6(c110)))) g101(gd101(r310(rs14(c310) \
         c410(s21094(g215.1.0) s21095(go21095)))))))",
    ),
    // `test_connecting_to_roots_long_linear_chains`
    ("roots_linear_chains", "f(e1(d0(c0(b0(a0))) d1(c0)) d2(c1(b1(a1))) d3(c1) d1)"),
    // `test_connecting_to_roots_asym`
    ("roots_asym", "d1(c1(b1(a0 a1)) c2(b1)) d2(b3(a3) c3(b3 b2(a2)) a4)"),
    // `test_stackstac`
    (
        "stackstac",
        "t000(v000(vs000(g000(cd0.1.10.0(gs0.1.10.0(f0.0.10.0(a00(at00)))))) \
         vs100(g100(cd0190(gs0190(f0090(a00))))) vs200(g200(cd0191(gs0191(f0091(a00))))) \
         vs300(g300(cd0181(gs0181(f0081(a00))))))) t010(v010(vs001(g001(s341(c341(f0.0.10.0)) \
         s342(cd0.1.10.0))) vs101(g101(s319(c319(f0090)) s320(cd0190))) vs201(g201(s321(c321(f0091)) \
         s322(cd0191))) vs301(g301(s299(c299(f0081)) s300(cd0181)))))",
    ),
    // `test_break_ties_by_str`
    ("break_ties_by_str", "y(x9 x8 x7 x6 x5 x4 x3 x2 x1 x0)"),
];
